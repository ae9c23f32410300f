/// A function applied to a node's result before it is stored.
package enum Activation: String, Sendable, Equatable {
  case none, relu, reluN1To1, relu6, tanh

  /// The real values that a clamping activation lets through; nil for those that do more than
  /// clamp.
  package var bounds: ClosedRange<Float>? {
    switch self {
    case .none: -Float.infinity ... Float.infinity
    case .relu: 0 ... Float.infinity
    case .reluN1To1: -1 ... 1
    case .relu6: 0 ... 6
    case .tanh: nil
    }
  }
}
