/// A part of complex numbers. Input: complex64. Output: float32 of the same shape.
package enum ComplexPart: String, Sendable, Equatable {
  case real, imaginary, magnitude
}

/// The order of the first elements of sequences turned round.
///
/// Inputs: the data, and the length of each sequence, int32 or int64. Output: of the data's shape.
package struct ReverseSequence: Sendable, Equatable {
  /// The axis along which sequences run, negative ones counted from the last.
  package var axis: Int
  /// The axis of which each index is one sequence.
  package var batchAxis: Int

  package init(axis: Int, batchAxis: Int) {
    self.axis = axis
    self.batchAxis = batchAxis
  }
}

/// `x / (bias + alpha · Σ neighbours²) ^ beta` along the last axis, of an element and its neighbours.
package struct NeighbourNormalization: Sendable, Equatable {
  /// Neighbours on either side.
  package var radius: Int
  package var bias: Float
  package var alpha: Float
  package var beta: Float

  package init(radius: Int, bias: Float, alpha: Float, beta: Float) {
    self.radius = radius
    self.bias = bias
    self.alpha = alpha
    self.beta = beta
  }
}

/// The canonical form of a slice whose place is computed: a block of fixed extents.
///
/// Inputs: the data, and int32 or int64 indices. Output: the block's elements in another shape.
package struct Cut: Sendable, Equatable {
  /// One for each axis of the data.
  package var extents: [Int]
  /// For each axis which of the indices says where the block begins; nil for the first element.
  package var indexPlaces: [Int?]
  /// Indices below zero count from the end.
  package var countsFromEnd: Bool

  package init(extents: [Int], indexPlaces: [Int?], countsFromEnd: Bool) {
    self.extents = extents
    self.indexPlaces = indexPlaces
    self.countsFromEnd = countsFromEnd
  }
}
