import ByteParsing
import ModelGraph
import Tensors

/// Long short-term memory in codes of 16 bits with weights of 8, moment by moment: products, sums and functions of such
/// codes are operators of their own, with the formats that the reference gives what lies between them.
///
/// - Source: the operator of TensorFlow Lite for Microcontrollers, the only one that takes these types.
struct TFLiteUnrolledLSTM {
  let lstm: LSTM
  /// The operator's operands in the file.
  let node: Node
  /// The types of the two states.
  let hidden: TensorType
  let cells: TensorType
  /// Sums of the gates, and what they are squashed to.
  let sums = TensorType(.int16, [], quantization: Quantization(scale: 0x1p-12, zeroPoint: 0))
  let squashed = TensorType(.int16, [], quantization: Quantization(scale: 0x1p-15, zeroPoint: 0))
}

extension TFLiteAssembly {
  /// The node as such a memory; nil for any other.
  func unrolledLSTM(_ node: Node) throws(TFLiteError) -> TFLiteUnrolledLSTM? {
    guard case .recurrent(.lstm(let lstm)) = node.operation, let input = node.input(0),
      let type = type(input), type.dataType == .int16
    else { return nil }
    let steps = type.shape.rank == 3 ? type.shape[lstm.isTimeMajor ? 0 : 1] : 0
    let refusal = TFLiteError.unrolledMemory(
      steps: steps, limit: TFLiteLimits.unrolledStepsMaximum)
    // Peepholes, projection and normalisation are not among the operator's forms.
    let absent = Array(LSTM.peepholes..<LSTM.biases) + [LSTM.projection, LSTM.projection + 1]
      + Array(LSTM.normalizations..<max(LSTM.normalizations, node.inputs.count))
    guard (1...TFLiteLimits.unrolledStepsMaximum).contains(steps), lstm.activation == .tanh,
      lstm.projectionClip == 0, node.inputs.count > LSTM.cellState, node.outputs.count == 1,
      absent.allSatisfy({ node.input($0) == nil })
    else { throw refusal }
    guard let hidden = node.input(LSTM.outputState).flatMap({ self.type($0) }),
      let cells = node.input(LSTM.cellState).flatMap({ self.type($0) }),
      hidden.dataType == .int16, cells.dataType == .int16,
      let scale = cells.quantization?.scale, scale > 0
    else { throw refusal }
    return TFLiteUnrolledLSTM(lstm: lstm, node: node, hidden: hidden, cells: cells)
  }

  mutating func add(_ memory: TFLiteUnrolledLSTM) {
    let node = memory.node
    guard let input = node.input(0), let type = type(input),
      var hidden = node.input(LSTM.outputState), var cells = node.input(LSTM.cellState)
    else { return }
    let (hiddenState, cellState) = (hidden, cells)
    let axis = memory.lstm.isTimeMajor ? 0 : 1
    var results: [ValueID] = []
    for step in 0..<type.shape[axis] {
      let moment = compute(.move(.element(index: step, axis: axis)), [input], type)
      var gates: [ValueID] = []
      for gate in 0..<4 {
        gates.append(self.gate(gate, memory, input: moment, hidden: hidden))
      }
      let kept = multiply(gates[1], cells, memory.cells)
      let added = multiply(gates[0], gates[2], memory.cells)
      cells = compute(.binary(Binary(kind: .add)), [kept, added], memory.cells)
      cells = clipped(cells, memory)
      let squashed = compute(.unary(Unary(kind: .tanh)), [cells], memory.squashed)
      hidden = multiply(squashed, gates[3], memory.hidden)
      results.append(hidden)
    }
    update(hiddenState, to: hidden)
    update(cellState, to: cells)
    compute(
      .concatenate(Concatenate(axis: axis, stacks: true)), results, memory.hidden,
      into: node.outputs[0])
  }

  private mutating func multiply(_ a: ValueID, _ b: ValueID, _ type: TensorType) -> ValueID {
    compute(.binary(Binary(kind: .multiply)), [a, b], type)
  }

  private mutating func gate(
    _ gate: Int, _ memory: TFLiteUnrolledLSTM, input: ValueID, hidden: ValueID
  ) -> ValueID {
    let operands = memory.node.inputs
    let own = compute(
      .fullyConnected(FullyConnected()),
      [input, operands[LSTM.inputWeights + gate], operands[LSTM.biases + gate]], memory.sums)
    let recurrent = compute(
      .fullyConnected(FullyConnected()), [hidden, operands[LSTM.recurrentWeights + gate]],
      memory.sums)
    let sum = compute(.binary(Binary(kind: .add)), [own, recurrent], memory.sums)
    let kind: Unary.Kind = gate == 2 ? .tanh : .logistic
    return compute(.unary(Unary(kind: kind)), [sum], memory.squashed)
  }

  private mutating func clipped(_ cells: ValueID, _ memory: TFLiteUnrolledLSTM) -> ValueID {
    guard memory.lstm.cellClip > 0, let scale = memory.cells.quantization?.scale else {
      return cells
    }
    let limit = Int16(min(memory.lstm.cellClip / scale, 32767))
    var result = cells
    for (kind, bound) in [(Binary.Kind.minimum, limit), (.maximum, -limit)] {
      let type = TensorType(.int16, [], quantization: memory.cells.quantization)
      let constant = append(type, constant: ByteView([bound]))
      result = compute(.binary(Binary(kind: kind)), [result, constant], memory.cells)
    }
    return result
  }
}
