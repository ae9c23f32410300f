package import ModelGraph
package import Tensors

/// Why an inference whose shapes follow from its values has no result.
package enum DeferralFailure: Error, Equatable, Sendable {
  /// The values give shapes that the model's operators do not take.
  case shapes(GraphError)
  /// An output of another shape than the model declares.
  case outputShape(output: Int, expected: Shape, actual: Shape)
  /// The values ask for more bytes than were set aside; `needed` counts what was planned so far.
  case bytes(needed: Int, limit: Int)
  /// No kernel computes an operator on these shapes.
  case unsupported([MissingKernel])
  /// The plan cannot be made.
  case unplannable(RuntimeError)

  /// What went wrong, for people; without a point at its end.
  package var phrase: String {
    switch self {
    case .shapes(let error):
      "their values give " + Self.phrase(error)
    case .outputShape(let output, let expected, let actual):
      "output \(output) would have the shape \(actual.extents), and the model declares "
        + "\(expected.extents)"
    case .bytes(let needed, let limit):
      "their values ask for \(needed) bytes or more, and \(limit) are set aside for shapes that "
        + "depend on data"
    case .unsupported(let kernels):
      "no kernel computes " + kernels.map { "\($0.name) ×\($0.count)" }.joined(separator: ", ")
    case .unplannable(let error): "their values give what cannot be planned: \(error)"
    }
  }

  /// What is wrong with shapes, without the numbers of operators, which count in a part of the model.
  private static func phrase(_ error: GraphError) -> String {
    switch error {
    case .reshapeCount(_, let elements, let target):
      "\(elements) elements for the shape \(target.extents)"
    case .notBroadcastable(_, let left, let right):
      "shapes that do not go together, \(left.extents) and \(right.extents)"
    case .shapeTooLarge(_, let shape): "a tensor of the shape \(shape.extents)"
    case .operandExtent(_, _, let axis, let expected, let actual):
      "an extent of \(actual) on axis \(axis), where the model's operators need \(expected)"
    case .operandRank(_, _, let expected, let actual):
      "a tensor of rank \(actual), where the model's operators need \(expected)"
    case .axisOutOfRange(_, let axis, let rank): "the axis \(axis) of a tensor of rank \(rank)"
    case .axisNotSqueezable(_, let axis, let extent):
      "an extent of \(extent) on axis \(axis), where the model's operators need 1"
    case .windowInvalid: "a picture that is too small for a window over it"
    case .foldedBytes(let needed, let limit):
      "constants of \(needed) bytes, at most \(limit) are allowed"
    case .inSubgraph(_, let error): phrase(error)
    default: "parameters that the model's operators do not take"
    }
  }
}
