import Glibc
import KernelInterface
import ModelGraph

extension Binary.Kind {
  /// The kernels' word for the operation.
  var operation: BinaryOperation {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    }
  }
}

extension Unary.Kind {
  /// The kernels' word for the operation.
  var operation: UnaryOperation {
    switch self {
    case .relu, .relu6, .reluN1To1: .clamp
    case .logistic: .logistic
    case .tanh: .tanh
    }
  }

  /// The bounds of the relu family; none for the others.
  var bounds: OutputBoundsFloat32 {
    switch self {
    case .relu: OutputBoundsFloat32(minimum: 0)
    case .relu6: OutputBoundsFloat32(minimum: 0, maximum: 6)
    case .reluN1To1: OutputBoundsFloat32(minimum: -1, maximum: 1)
    case .logistic, .tanh: OutputBoundsFloat32()
    }
  }

  /// The function itself, for tables.
  var function: (Double) -> Double {
    switch self {
    case .relu: { max($0, 0) }
    case .relu6: { min(max($0, 0), 6) }
    case .reluN1To1: { min(max($0, -1), 1) }
    case .logistic: { 1 / (1 + Glibc.exp(-$0)) }
    case .tanh: { Glibc.tanh($0) }
    }
  }
}
