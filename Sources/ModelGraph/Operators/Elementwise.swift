/// An operation on pairs of elements, both operands broadcast to a common shape.
///
/// Inputs: left and right operand. Output: the common shape.
package struct Binary: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case add, subtract, multiply
  }

  package var kind: Kind
  package var activation: Activation

  package init(kind: Kind, activation: Activation = .none) {
    self.kind = kind
    self.activation = activation
  }
}

/// An operation on single elements. Input and output have one shape.
package struct Unary: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case logistic, tanh, relu, relu6, reluN1To1
  }

  package var kind: Kind

  package init(kind: Kind) { self.kind = kind }
}

/// `exp(beta · x)` of each element over the sum of the same along the last axis.
///
/// Input and output have one shape.
package struct Softmax: Sendable, Equatable {
  package var beta: Float

  package init(beta: Float) { self.beta = beta }
}
