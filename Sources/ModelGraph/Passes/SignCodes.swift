import ByteParsing
import Tensors

extension Graph {
  /// Brings uint8 networks to int8: every code and zero point less 128, which stand for the same real numbers.
  ///
  /// Operators that compute with quantised codes read and write the int8 twin of each uint8 value; where the uint8
  /// codes themselves are wanted, at the model's inputs and outputs and by other operators, a `quantize` between the
  /// two is put in. Weights of convolutions stay as the file has them, and are brought over when they are packed.
  mutating func signCodes() {
    guard values.contains(where: { $0.isUnsignedCode }) else { return }
    var twins: [ValueID: ValueID] = [:]
    // What the model is given and what it gives keeps its type.
    var hasCodes = Set(inputs)
    var hasTwin: Set<ValueID> = []
    var result: [Node] = []
    for original in nodes {
      var node = original
      if node.operation.computesWithCodes && !staysAsItIs(node, hasTwin) {
        if case .pool2D(var pool) = node.operation, let id = node.input(0) {
          pool.roundsUp = self[id].isUnsignedCode
          node.operation = .pool2D(pool)
        }
        for (place, id) in node.inputs.enumerated() {
          guard let id, self[id].isUnsignedCode,
            self[id].constant == nil || !node.operation.packs(place)
          else { continue }
          let twin = twin(of: id, &twins)
          node.inputs[place] = twin
          guard self[id].constant == nil, hasTwin.insert(id).inserted else { continue }
          result.append(Node(.quantize, inputs: [id], outputs: [twin]))
        }
        for (place, id) in node.outputs.enumerated() where self[id].isUnsignedCode {
          node.outputs[place] = twin(of: id, &twins)
          hasTwin.insert(id)
        }
      } else {
        for id in node.inputs.compactMap({ $0 }) { restore(id, twins, hasTwin, &hasCodes, &result) }
        hasCodes.formUnion(node.outputs)
      }
      result.append(node)
    }
    for id in outputs + signatures.flatMap(\.outputs).map(\.value) {
      restore(id, twins, hasTwin, &hasCodes, &result)
    }
    nodes = result
  }

  /// True for a node of plain bytes, though it may call its result codes, and for one that asks only for the order of
  /// codes that have no twin.
  private func staysAsItIs(_ node: Node, _ hasTwin: Set<ValueID>) -> Bool {
    if case .argumentOfExtreme = node.operation, let id = node.input(0), !hasTwin.contains(id) {
      return true
    }
    return node.inputs.contains { $0.map { self[$0].isPlainByte } ?? false }
  }

  /// The int8 value that stands for the uint8 value `id`, made when it is first asked for.
  private mutating func twin(of id: ValueID, _ twins: inout [ValueID: ValueID]) -> ValueID {
    if let twin = twins[id] { return twin }
    var value = self[id]
    value.type.dataType = .int8
    value.type.quantization = value.type.quantization.map { codes in
      Quantization(
        scales: codes.scales, zeroPoints: codes.zeroPoints.map { $0 - 128 }, axis: codes.axis)
    }
    value.constant = value.constant.map { bytes in ByteView(bytes.array.map { $0 ^ 0x80 }) }
    let twin = append(value)
    twins[id] = twin
    return twin
  }

  /// Makes the uint8 codes of a value that so far only its twin has.
  private func restore(
    _ id: ValueID, _ twins: [ValueID: ValueID], _ hasTwin: Set<ValueID>,
    _ hasCodes: inout Set<ValueID>, _ result: inout [Node]
  ) {
    guard let twin = twins[id], hasTwin.contains(id), self[id].constant == nil,
      hasCodes.insert(id).inserted
    else { return }
    result.append(Node(.quantize, inputs: [twin], outputs: [id]))
  }
}

extension Value {
  fileprivate var isPlainByte: Bool { type.dataType == .uint8 && type.quantization == nil }

  /// True for uint8 codes of one scale.
  fileprivate var isUnsignedCode: Bool {
    guard type.dataType == .uint8, let quantization = type.quantization else { return false }
    return quantization.scales.count == 1 && quantization.zeroPoints.count == 1
  }
}

extension Operator {
  /// True for operators whose result depends on what codes stand for, or on nothing but their order, so that it may
  /// be computed with any codes for the same numbers.
  fileprivate var computesWithCodes: Bool {
    switch self {
    case .convolution2D, .depthwiseConvolution2D, .fullyConnected, .binary, .unary, .pool2D,
      .reduce, .pad, .reshape, .squeeze, .expandDimensions, .softmax, .concatenate, .quantize,
      .dequantize, .move, .stridedCopy, .gather, .gatherND, .select, .argumentOfExtreme,
      .batchMatmul, .transposeConvolution2D, .mirrorPad, .dynamicUpdateSlice,
      .top, .reverseSequence, .cut:
      true
    // The reference interpolates codes without sign otherwise.
    case .resize(let parameters): parameters.kind == .nearest
    case .recurrent: false
    case .cast, .generate, .cumulativeSum, .l2Normalize, .layerNormalize, .oneHot, .detect,
      .spectrum, .complexPart, .scatter, .normalizeByNeighbours, .convolution3D, .segment, .bucketize, .selectBoxes,
      .diagonal, .signal, .nonzero, .distinct, .loop, .branch: false
    }
  }

  /// True for the operand that is brought over when it is packed, where it is constant.
  fileprivate func packs(_ operand: Int) -> Bool {
    switch self {
    case .convolution2D, .depthwiseConvolution2D, .fullyConnected, .transposeConvolution2D:
      operand == 1
    default: false
    }
  }
}
