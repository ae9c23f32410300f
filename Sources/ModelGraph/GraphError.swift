package import Tensors

/// Why a graph cannot be computed; `node` counts in the order of `Graph.nodes`.
package indirect enum GraphError: Error, Equatable, Sendable {
  /// A node or an entry point names a value that does not exist.
  case valueOutOfRange(index: Int, count: Int)
  /// A node reads a value that nothing before it makes: an operand out of order, or a cycle.
  case valueNotProduced(node: Int, value: Int)
  /// Two nodes make one value, or a node makes an input or a constant.
  case valueProducedTwice(node: Int, value: Int)
  /// An output of the model that nothing makes.
  case outputNotProduced(value: Int)
  /// An operator with the wrong number of operands or results.
  case operandCount(node: Int, expected: ClosedRange<Int>, actual: Int)
  case resultCount(node: Int, expected: Int, actual: Int)
  /// An operand that the operator needs is absent.
  case operandMissing(node: Int, operand: Int)
  /// An operand that must be constant is computed.
  case operandNotConstant(node: Int, operand: Int)
  /// An operand of an element type that the operator does not take there.
  case operandDataType(node: Int, operand: Int, actual: DataType)
  /// An operand whose rank the operator does not take.
  case operandRank(node: Int, operand: Int, expected: ClosedRange<Int>, actual: Int)
  /// An extent of an operand that does not fit the others.
  case operandExtent(node: Int, operand: Int, axis: Int, expected: Int, actual: Int)
  /// An operand without the quantisation that its element type needs, or with one that does not
  /// fit.
  case operandQuantization(node: Int, operand: Int)
  /// A result of an element type that the operator does not make of its operands.
  case resultDataType(node: Int, actual: DataType)
  /// A result without the quantisation that its element type needs.
  case resultQuantization(node: Int)
  /// The shapes of two operands do not broadcast.
  case notBroadcastable(node: Int, left: Shape, right: Shape)
  /// The element count does not fit the target shape.
  case reshapeCount(node: Int, elements: Int, target: Shape)
  /// An axis outside the operand's rank.
  case axisOutOfRange(node: Int, axis: Int, rank: Int)
  /// An axis to be squeezed is not 1.
  case axisNotSqueezable(node: Int, axis: Int, extent: Int)
  /// A window, stride, dilation or amount of padding that cannot be.
  case windowInvalid(node: Int)
  /// A parameter is outside what the operator takes: beta, amounts of padding.
  case parameterInvalid(node: Int)
  /// A shape with a negative extent, beyond the highest rank or beyond the address space.
  case shapeTooLarge(node: Int, shape: Shape)
  /// A variable whose elements after an inference are of another type or shape than before.
  case variableChangesType(variable: Int, before: Shape, after: Shape)
  /// A loop or a branch without the graph that it runs, or with one that keeps something between
  /// inferences.
  case subgraphMissing(node: Int)
  /// What is wrong in a graph that a loop or a branch runs; nodes count within that graph.
  case inSubgraph(node: Int, GraphError)
  /// A result of another shape than the next iteration, or the other branch, needs it to have.
  case outputShape(output: Int, expected: Shape, actual: Shape)
  /// Folding constants would make `needed` bytes anew.
  case foldedBytes(needed: Int, limit: Int)
  /// A resize gives shapes for another number of inputs than the model has.
  case inputCount(expected: Int, actual: Int)
  /// A resize gives a shape that is not concrete or too large.
  case inputShape(index: Int, expected: Shape, actual: Shape)
}
