/// Picks slices of one axis by index.
///
/// Inputs: the data, and int32 or int64 indices. Output: the data's extents before `axis`, the
/// indices' after the batch dimensions, and the data's after `axis`.
package struct Gather: Sendable, Equatable {
  package var axis: Int
  /// Leading axes that data and indices share.
  package var batchDimensions: Int

  package init(axis: Int, batchDimensions: Int = 0) {
    self.axis = axis
    self.batchDimensions = batchDimensions
  }
}

/// The index of the greatest or least element of an axis. Inputs: the data, and the axis.
package struct ArgumentOfExtreme: Sendable, Equatable {
  package var isMaximum: Bool

  package init(isMaximum: Bool) { self.isMaximum = isMaximum }
}

/// Sums along an axis up to each element. Inputs: the data, and the axis.
package struct CumulativeSum: Sendable, Equatable {
  /// Without the element itself.
  package var isExclusive: Bool
  /// From the last to the first.
  package var isReversed: Bool

  package init(isExclusive: Bool, isReversed: Bool) {
    self.isExclusive = isExclusive
    self.isReversed = isReversed
  }
}

/// Elements that follow from operands that are known before an inference.
package enum Generator: String, Sendable, Equatable {
  /// The extents of the operand.
  case shape
  /// The rank of the operand.
  case rank
  /// Inputs: a shape, and the scalar to repeat.
  case fill
  /// Inputs: start, limit and step.
  case range
  /// The shape to which two shapes broadcast. Inputs: both.
  case broadcastShape
  /// Zeros like the operand.
  case zerosLike
}
