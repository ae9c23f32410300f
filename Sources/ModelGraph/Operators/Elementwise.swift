/// An operation on pairs of elements, both operands broadcast to a common shape.
///
/// Inputs: left and right operand. Output: the common shape, of bools where the kind compares.
package struct Binary: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case add, subtract, multiply
    case divide, minimum, maximum, power, squaredDifference, floorDivide, floorModulo
    /// The left operand where it is not negative, else the product of both.
    case prelu
    case equal, notEqual, less, lessEqual, greater, greaterEqual
    case logicalAnd, logicalOr
    /// The angle of the point with the left operand as its ordinate and the right one as its abscissa.
    case arcTangent
    /// Of whole numbers; a shift is bounded by the number's width.
    case bitwiseXor, rightShift
  }

  package var kind: Kind
  package var activation: Activation

  package init(kind: Kind, activation: Activation = .none) {
    self.kind = kind
    self.activation = activation
  }

  /// Whether kernels apply an activation to the result.
  package var takesActivation: Bool {
    switch kind {
    case .add, .subtract, .multiply, .divide: true
    default: false
    }
  }

  /// Whether the result is a truth about the operands.
  package var isPredicate: Bool {
    switch kind {
    case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual, .logicalAnd, .logicalOr:
      true
    default: false
    }
  }
}

/// An operation on single elements. Input and output have one shape.
package struct Unary: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case logistic, tanh, relu, relu6, reluN1To1, relu0To1
    case hardSwish, leakyRelu, elu, gelu
    /// `gelu` through `tanh`.
    case approximateGelu
    case absolute, negate, sign, square, squareRoot, reciprocalSquareRoot
    case exponential, logarithm, sine, cosine, floor, ceiling, round
    case logicalNot
  }

  package var kind: Kind
  /// The slope below zero of `leakyRelu`.
  package var slope: Float

  package init(kind: Kind, slope: Float = 0) {
    self.kind = kind
    self.slope = slope
  }
}

/// `exp(beta · x)` of each element over the sum of the same along the last axis.
///
/// Input and output have one shape.
package struct Softmax: Sendable, Equatable {
  package var beta: Float
  /// The result is the logarithm of the quotient.
  package var isLogarithm: Bool

  package init(beta: Float, isLogarithm: Bool = false) {
    self.beta = beta
    self.isLogarithm = isLogarithm
  }
}

/// Rows of the last axis brought to mean 0 and variance 1, times γ, plus β.
///
/// With `s = γ / √(variance + ε)` either `x · s + (β − mean · s)` or `(x − mean) · s + β`, each operation rounded, so that
/// the result is that of the steps it was made of.
package struct LayerNormalization: Sendable, Equatable {
  package var epsilon: Float
  package var subtractsMeanFirst: Bool

  package init(epsilon: Float, subtractsMeanFirst: Bool) {
    self.epsilon = epsilon
    self.subtractsMeanFirst = subtractsMeanFirst
  }
}
