import Glibc
import KernelInterface
import ModelGraph

extension Binary.Kind {
  /// The fast kernels' word for the operation; nil where only the general kernel has it.
  var operation: BinaryOperation? {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    default: nil
    }
  }

  /// The general kernel's word for the operation.
  var elementOperation: ElementOperation {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .minimum: .minimum
    case .maximum: .maximum
    case .power: .power
    case .squaredDifference: .squaredDifference
    case .floorDivide: .floorDivide
    case .floorModulo: .floorModulo
    case .prelu: .prelu
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessEqual: .lessEqual
    case .greater: .greater
    case .greaterEqual: .greaterEqual
    case .logicalAnd: .logicalAnd
    case .logicalOr: .logicalOr
    case .arcTangent: .arcTangent
    case .bitwiseXor: .bitwiseXor
    case .rightShift: .rightShift
    }
  }
}

extension Reduce.Kind {
  /// The kernels' word for the reduction.
  var operation: ReductionOperation {
    switch self {
    case .mean: .mean
    case .sum: .sum
    case .product: .product
    case .minimum: .minimum
    case .maximum: .maximum
    case .any: .any
    case .all: .all
    }
  }
}

extension Unary.Kind {
  /// The fast kernel's word for the function; nil where only the general kernel has it.
  var operation: UnaryOperation? {
    switch self {
    case .relu, .relu6, .reluN1To1, .relu0To1: .clamp
    case .logistic: .logistic
    case .tanh: .tanh
    case .exponential: .exponential
    default: nil
    }
  }

  /// The general kernel's word for the function; nil where the fast kernel alone has it.
  var elementFunction: ElementFunction? {
    switch self {
    case .relu, .relu6, .reluN1To1, .relu0To1, .logistic, .tanh: nil
    case .hardSwish: .hardSwish
    case .leakyRelu: .leakyRelu
    case .elu: .elu
    case .gelu: .gelu
    case .approximateGelu: .approximateGelu
    case .absolute: .absolute
    case .negate: .negate
    case .sign: .sign
    case .square: .square
    case .squareRoot: .squareRoot
    case .reciprocalSquareRoot: .reciprocalSquareRoot
    case .exponential: .exponential
    case .logarithm: .logarithm
    case .sine: .sine
    case .cosine: .cosine
    case .floor: .floor
    case .ceiling: .ceiling
    case .round: .round
    case .logicalNot: .logicalNot
    }
  }

  /// The bounds of the relu family; none for the others.
  var bounds: OutputBoundsFloat32 {
    switch self {
    case .relu: OutputBoundsFloat32(minimum: 0)
    case .relu6: OutputBoundsFloat32(minimum: 0, maximum: 6)
    case .reluN1To1: OutputBoundsFloat32(minimum: -1, maximum: 1)
    case .relu0To1: OutputBoundsFloat32(minimum: 0, maximum: 1)
    default: OutputBoundsFloat32()
    }
  }
}

extension Unary {
  /// The function itself, for tables.
  var function: (Double) -> Double {
    let slope = Double(slope)
    return switch kind {
    case .relu: { max($0, 0) }
    case .relu6: { min(max($0, 0), 6) }
    case .reluN1To1: { min(max($0, -1), 1) }
    case .relu0To1: { min(max($0, 0), 1) }
    case .logistic: { 1 / (1 + Glibc.exp(-$0)) }
    case .tanh: { Glibc.tanh($0) }
    case .hardSwish: { $0 * min(max($0 + 3, 0), 6) / 6 }
    case .leakyRelu: { $0 >= 0 ? $0 : $0 * slope }
    case .elu: { $0 < 0 ? Glibc.expm1($0) : $0 }
    case .gelu: { 0.5 * $0 * (1 + Glibc.erf($0 * 0.5.squareRoot())) }
    case .approximateGelu:
      { x in 0.5 * x * (1 + Glibc.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) }
    case .absolute: { abs($0) }
    case .negate: { -$0 }
    case .sign: { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    case .square: { $0 * $0 }
    case .squareRoot: { max($0, 0).squareRoot() }
    case .reciprocalSquareRoot: { 1 / max($0, 0).squareRoot() }
    case .exponential: { Glibc.exp($0) }
    case .logarithm: { Glibc.log(max($0, 0)) }
    case .sine: { Glibc.sin($0) }
    case .cosine: { Glibc.cos($0) }
    case .floor: { $0.rounded(.down) }
    case .ceiling: { $0.rounded(.up) }
    case .round: { $0.rounded(.toNearestOrEven) }
    case .logicalNot: { $0 == 0 ? 1 : 0 }
    }
  }
}
