import ModelGraph
import Tensors

/// A memory that goes through its sequence forwards and another one that goes backwards.
///
/// Operands of the long short-term memory: the input; 17 weights and biases forwards, and 17
/// backwards, in the order of `LSTM`; the two states forwards, and backwards; and a second input with
/// weights for the four gates forwards, and backwards. Of the plain memory: the input; weights of
/// input and output, bias and state forwards, and backwards; and a second input with its weights
/// forwards, and backwards. Without weights of its own the second input is the backward memory's only
/// one.
private struct Directions {
  /// All operands, those of the second input among them.
  var count: Int
  /// Where each direction's weights are, in the order of the memory's own operands, and its states.
  var weights: [Range<Int>]
  var states: [Range<Int>]
  var secondInput: Int
  /// Where the weights of the second input are, as many as there are weights of the input.
  var secondWeights: [Range<Int>]

  init(_ memory: Recurrent) {
    switch memory {
    case .lstm:
      self.init(
        count: 48, weights: [1..<18, 18..<35], states: [35..<37, 37..<39], secondInput: 39,
        secondWeights: [40..<44, 44..<48])
    default:
      self.init(
        count: 12, weights: [1..<4, 5..<8], states: [4..<5, 8..<9], secondInput: 9,
        secondWeights: [10..<11, 11..<12])
    }
  }

  private init(
    count: Int, weights: [Range<Int>], states: [Range<Int>], secondInput: Int,
    secondWeights: [Range<Int>]
  ) {
    self.count = count
    self.weights = weights
    self.states = states
    self.secondInput = secondInput
    self.secondWeights = secondWeights
  }
}

extension TFLiteAssembly {
  mutating func expandBothWays(
    _ memory: Recurrent, isTimeMajor: Bool, merges: Bool, _ composite: TFLiteComposite
  ) throws(TFLiteError) {
    let directions = Directions(memory)
    try composite.expect(operands: directions.count, results: merges ? 1 : 2)
    let result = TensorType(.float32, [])
    let axis = constant([isTimeMajor ? 0 : 1], [1])
    var outputs: [ValueID] = []
    for (direction, isBackward) in [false, true].enumerated() {
      var (input, weights) = try operands(of: direction, directions, composite)
      if isBackward { input = compute(.move(.reverse), [input, axis], result) }
      weights.insert(input, at: 0)
      let output = append(result)
      add(Node(.recurrent(memory), inputs: weights, outputs: [output]), intermediates: [])
      let into = merges ? nil : composite.outputs[direction]
      if isBackward {
        outputs.append(compute(.move(.reverse), [output, axis], result, into: into))
      } else {
        if let into { alias(into, of: output) }
        outputs.append(output)
      }
    }
    guard merges else { return }
    compute(.concatenate(Concatenate(axis: 2)), outputs, result, into: composite.outputs[0])
  }

  /// What the memory of a direction is given, and its weights and states.
  private mutating func operands(
    of direction: Int, _ directions: Directions, _ composite: TFLiteComposite
  ) throws(TFLiteError) -> (input: ValueID, rest: [ValueID?]) {
    let first = try composite.operand(0)
    var weights = directions.weights[direction].map { composite.inputs[$0] }
    let states = directions.states[direction].map { composite.inputs[$0] }
    guard let second = composite.inputs[directions.secondInput] else {
      return (first, weights + states)
    }
    let isJoined = directions.secondWeights.contains { range in
      range.contains { composite.inputs[$0] != nil }
    }
    guard isJoined else { return (direction == 0 ? first : second, weights + states) }
    // W·x + V·y is one product of both matrices side by side with both vectors.
    for (place, operand) in directions.secondWeights[direction].enumerated() {
      weights[place] = try joined(
        weights[place], composite.inputs[operand], operand: operand, composite)
    }
    let input = compute(
      .concatenate(Concatenate(axis: 2)), [first, second], TensorType(.float32, []))
    return (input, weights + states)
  }

  private mutating func joined(
    _ weights: ValueID?, _ others: ValueID?, operand: Int, _ composite: TFLiteComposite
  ) throws(TFLiteError) -> ValueID? {
    guard let weights else { return nil }
    guard let others else {
      throw .graph(.operandMissing(node: composite.index, operand: operand))
    }
    // Codes of two matrices have two scales.
    for id in [weights, others] {
      guard let type = type(id), type.dataType != .float32 else { continue }
      throw .graph(
        .operandDataType(node: composite.index, operand: operand, actual: type.dataType))
    }
    return compute(
      .concatenate(Concatenate(axis: 1)), [weights, others], TensorType(.float32, []))
  }
}
