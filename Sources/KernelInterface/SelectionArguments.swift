package import Tensors

/// The greatest elements of each row and where they are; the maker vouches for the pointers.
@safe package struct TopArguments {
  package var type: DataType
  package var columns: Int
  /// Elements to pick, at most `columns`.
  package var count: Int
  package var input: UnsafeRawPointer
  package var values: UnsafeMutableRawPointer
  package var indices: UnsafeMutablePointer<Int32>

  package init(
    type: DataType, columns: Int, count: Int, input: UnsafeRawPointer,
    values: UnsafeMutableRawPointer, indices: UnsafeMutablePointer<Int32>
  ) {
    self.type = type
    self.columns = columns
    self.count = count
    unsafe self.input = input
    unsafe self.values = values
    unsafe self.indices = indices
  }
}

/// Slices put into a tensor of zeros where indices say; the maker vouches for the pointers.
///
/// What several indices name is summed; a truth is true when any is. Indices outside name nothing.
@safe package struct ScatterArguments {
  package var type: DataType
  /// Indices of one slice, at most 8.
  package var depth: Int
  package var extents: SIMD8<Int>
  /// In elements.
  package var strides: SIMD8<Int>
  /// Elements of one slice, and how many slices there are.
  package var inner: Int
  package var slices: Int
  /// Of the output.
  package var count: Int
  package var hasWideIndices: Bool
  package var indices: UnsafeRawPointer
  package var updates: UnsafeRawPointer
  /// What the slices are put into, one element; nil for zeros to which they are added.
  package var background: UnsafeRawPointer?
  package var output: UnsafeMutableRawPointer

  package init(
    type: DataType, depth: Int, extents: SIMD8<Int>, strides: SIMD8<Int>, inner: Int, slices: Int,
    count: Int, hasWideIndices: Bool, indices: UnsafeRawPointer, updates: UnsafeRawPointer,
    background: UnsafeRawPointer? = nil, output: UnsafeMutableRawPointer
  ) {
    unsafe self.background = background
    self.type = type
    self.depth = depth
    self.extents = extents
    self.strides = strides
    self.inner = inner
    self.slices = slices
    self.count = count
    self.hasWideIndices = hasWideIndices
    unsafe self.indices = indices
    unsafe self.updates = updates
    unsafe self.output = output
  }
}

/// `[outer, a, middle, b, inner]` of which the first `lengths[·]` elements along one of the axes `a` and `b` change
/// their order; the other one says which length holds. The maker vouches for the pointers.
@safe package struct ReverseSequenceArguments {
  package var outer: Int
  package var first: Int
  package var middle: Int
  package var second: Int
  package var innerBytes: Int
  /// The order turns round along the first of the two axes, else along the second.
  package var turnsFirst: Bool
  package var hasWideLengths: Bool
  package var lengths: UnsafeRawPointer
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    outer: Int, first: Int, middle: Int, second: Int, innerBytes: Int, turnsFirst: Bool,
    hasWideLengths: Bool, lengths: UnsafeRawPointer, input: UnsafeRawPointer,
    output: UnsafeMutableRawPointer
  ) {
    self.outer = outer
    self.first = first
    self.middle = middle
    self.second = second
    self.innerBytes = innerBytes
    self.turnsFirst = turnsFirst
    self.hasWideLengths = hasWideLengths
    unsafe self.lengths = lengths
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// A block cut out of a tensor where indices say, moved inside where it would reach out; the maker vouches for the
/// pointers.
@safe package struct CutArguments {
  package var extents: SIMD8<Int>
  package var blockExtents: SIMD8<Int>
  /// For each axis the place of its index, or −1 where the block begins at the first.
  package var indexPlaces: SIMD8<Int>
  /// Indices below zero count from the end.
  package var countsFromEnd: Bool
  package var elementBytes: Int
  package var hasWideIndices: Bool
  package var input: UnsafeRawPointer
  package var indices: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    extents: SIMD8<Int>, blockExtents: SIMD8<Int>, indexPlaces: SIMD8<Int>, countsFromEnd: Bool,
    elementBytes: Int, hasWideIndices: Bool, input: UnsafeRawPointer, indices: UnsafeRawPointer,
    output: UnsafeMutableRawPointer
  ) {
    self.extents = extents
    self.blockExtents = blockExtents
    self.indexPlaces = indexPlaces
    self.countsFromEnd = countsFromEnd
    self.elementBytes = elementBytes
    self.hasWideIndices = hasWideIndices
    unsafe self.input = input
    unsafe self.indices = indices
    unsafe self.output = output
  }
}

/// Float32 elements divided by a power of the squares of their neighbours in a row; the maker vouches for the pointers.
@safe package struct NeighbourArguments {
  package var columns: Int
  /// Neighbours on either side.
  package var radius: Int
  package var bias: Float
  package var alpha: Float
  package var beta: Float
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>

  package init(
    columns: Int, radius: Int, bias: Float, alpha: Float, beta: Float,
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    self.columns = columns
    self.radius = radius
    self.bias = bias
    self.alpha = alpha
    self.beta = beta
    unsafe self.input = input
    unsafe self.output = output
  }
}
