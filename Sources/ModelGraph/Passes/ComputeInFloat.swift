import Tensors

extension Graph {
  /// Lets operators on codes that no integer kernel computes run on the numbers that the codes stand for.
  ///
  /// Each operand that is a code is dequantised before, and the result quantised after.
  mutating func computeInFloat() {
    guard nodes.contains(where: { needsFloat($0) }) else { return }
    var result: [Node] = []
    for original in nodes {
      guard needsFloat(original) else {
        result.append(original)
        continue
      }
      var node = original
      if case .pool2D(let pool) = node.operation, pool.activation == .none {
        result += poolOfCodes(node)
        continue
      }
      for (place, id) in node.inputs.enumerated() {
        guard let id, isCode(id) else { continue }
        let real = appendReal(like: id)
        result.append(Node(.dequantize, inputs: [id], outputs: [real]))
        node.inputs[place] = real
      }
      let output = node.outputs[0]
      guard isCode(output) else {
        result.append(node)
        continue
      }
      let real = appendReal(like: output)
      node.outputs[0] = real
      result.append(node)
      result.append(Node(.quantize, inputs: [real], outputs: [output]))
    }
    nodes = result
  }

  /// Rows picked from a table of codes to be numbers are dequantised after they are picked, or before where each row
  /// has a scale of its own.
  mutating func expandTableLookups() {
    var result: [Node] = []
    for original in nodes {
      guard case .gather = original.operation, let table = original.input(0),
        self[table].type.dataType == .int8, let scheme = self[table].type.quantization,
        self[original.outputs[0]].type.dataType == .float32
      else {
        result.append(original)
        continue
      }
      var node = original
      if scheme.isPerChannel {
        let real = appendReal(like: table)
        result.append(Node(.dequantize, inputs: [table], outputs: [real]))
        node.inputs[0] = real
        result.append(node)
      } else {
        var value = self[original.outputs[0]]
        value.type.dataType = .int8
        value.type.quantization = scheme
        let codes = append(value)
        node.outputs[0] = codes
        result.append(node)
        result.append(Node(.dequantize, inputs: [codes], outputs: original.outputs))
      }
    }
    nodes = result
  }

  /// A pool of codes as whole numbers, whose means round as those of codes do; the scale is of no account.
  private mutating func poolOfCodes(_ node: Node) -> [Node] {
    let (input, output) = (node.inputs[0]!, node.outputs[0])
    let (numbers, means) = (appendReal(like: input), appendReal(like: output))
    var plain = self[output].type
    plain.quantization = Quantization(scale: 1, zeroPoint: 0)
    let codes = append(Value(name: "", type: plain))
    return [
      Node(.cast, inputs: [input], outputs: [numbers]),
      Node(node.operation, inputs: [numbers], outputs: [means]),
      Node(.quantize, inputs: [means], outputs: [codes]),
      Node(
        .reshape(Reshape(target: plain.shape.extents)), inputs: [codes], outputs: [output]),
    ]
  }

  private mutating func appendReal(like id: ValueID) -> ValueID {
    append(Value(name: "", type: TensorType(.float32, self[id].type.shape)))
  }

  private func isCode(_ id: ValueID) -> Bool {
    let type = self[id].type
    switch type.dataType {
    case .int8, .uint8, .int16: return type.quantization != nil
    // A bias.
    case .int32, .int64: return type.quantization != nil && self[id].constant != nil
    default: return false
    }
  }

  /// Whether the node computes with codes of a type that its integer kernels do not take.
  private func needsFloat(_ node: Node) -> Bool {
    guard let input = node.input(0), isCode(input) else { return false }
    let isInt16 = self[input].type.dataType == .int16
    switch node.operation {
    case .l2Normalize: return true
    case .softmax(let parameters):
      let types = (self[input].type.dataType, self[node.outputs[0]].type.dataType)
      return parameters.isLogarithm || (types.0 != types.1 && types != (.int8, .int16))
    case .unary(let parameters): return isInt16 && !parameters.kind.hasInt16Kernel
    case .cumulativeSum: return true
    case .pool2D: return isInt16
    default: return false
    }
  }
}

extension Unary.Kind {
  /// Whether the reference computes it on int16 codes by bounds or by a table.
  package var hasInt16Kernel: Bool {
    switch self {
    case .relu, .relu6, .reluN1To1, .relu0To1, .logistic, .tanh, .gelu, .approximateGelu,
      .exponential, .logarithm, .reciprocalSquareRoot, .leakyRelu:
      true
    default: false
    }
  }
}
