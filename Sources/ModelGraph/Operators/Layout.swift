/// The same elements in the same order under another shape.
///
/// Inputs: the data, and the target shape as an int32 vector while `target` is nil.
package struct Reshape: Sendable, Equatable {
  /// The extents, at most one of them −1 for what the element count leaves; nil when the second
  /// input gives them.
  package var target: [Int]?

  package init(target: [Int]?) { self.target = target }
}

/// Removes axes of extent 1. Input: the data.
package struct Squeeze: Sendable, Equatable {
  /// The axes to remove, negative ones counted from the last; empty for every axis of extent 1.
  package var axes: [Int]

  package init(axes: [Int]) { self.axes = axes }
}

/// Inserts an axis of extent 1.
///
/// Inputs: the data, and the axis as an int32 scalar while `axis` is nil.
package struct ExpandDimensions: Sendable, Equatable {
  /// The new axis, negative ones counted from behind the last; nil when the second input gives it.
  package var axis: Int?

  package init(axis: Int?) { self.axis = axis }
}

/// Puts elements around a tensor.
///
/// Inputs: the data; only while `amounts` is nil, an int32 or int64 matrix `[rank, 2]`; and last,
/// optionally, a scalar to fill with, else zero (the zero point of a quantised tensor).
package struct Pad: Sendable, Equatable {
  /// Elements before and after one axis.
  package struct Amount: Sendable, Equatable {
    package var before: Int
    package var after: Int

    package init(before: Int, after: Int) {
      self.before = before
      self.after = after
    }
  }

  /// One for each axis; nil when the second input gives them.
  package var amounts: [Amount]?

  package init(amounts: [Amount]?) { self.amounts = amounts }
}

/// Joins tensors along one axis. Inputs: one or more tensors that agree on every other axis.
package struct Concatenate: Sendable, Equatable {
  /// The axis to join, negative ones counted from the last.
  package var axis: Int
  package var activation: Activation
  /// The operands lack the axis; each is one index of it.
  package var stacks: Bool

  package init(axis: Int, activation: Activation = .none, stacks: Bool = false) {
    self.axis = axis
    self.activation = activation
    self.stacks = stacks
  }
}

/// Folds elements along some axes into one.
///
/// Inputs: the data, and the axes as an int32 vector while `axes` is nil.
package struct Reduce: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case mean, sum, product, minimum, maximum, any, all
  }

  package var kind: Kind
  /// The axes to fold, negative ones counted from the last; nil when the second input gives them.
  package var axes: [Int]?
  /// Folded axes stay, with extent 1.
  package var keepsDimensions: Bool

  package init(kind: Kind, axes: [Int]?, keepsDimensions: Bool) {
    self.kind = kind
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }
}
