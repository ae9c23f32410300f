package import Tensors

/// Which elements are not zero: their number, or their places as rows of indices.
///
/// The maker vouches for `input` of `count` elements, `positions` of `limit` rows of `rank`, and for the
/// product of the first `rank` extents being `count`.
@safe package struct NonzeroArguments {
  package var type: DataType
  package var count: Int
  package var rank: Int
  package var extents: SIMD8<Int>
  /// Rows that are written at most.
  package var limit: Int
  package var input: UnsafeRawPointer
  /// Nil where only the number is asked for.
  package var positions: UnsafeMutablePointer<Int64>?
  /// Nil where only the places are asked for.
  package var found: UnsafeMutablePointer<Int64>?

  package init(
    type: DataType, count: Int, rank: Int, extents: SIMD8<Int>, limit: Int,
    input: UnsafeRawPointer, positions: UnsafeMutablePointer<Int64>?,
    found: UnsafeMutablePointer<Int64>?
  ) {
    self.type = type
    self.count = count
    self.rank = rank
    self.extents = extents
    self.limit = limit
    unsafe self.input = input
    unsafe self.positions = positions
    unsafe self.found = found
  }
}

/// The elements of a vector without those that are there before, and for each element the place of its
/// like among them.
///
/// The maker vouches for `input`, `values` and `places` of `count` elements, the last of 4 or 8 bytes,
/// and for `scratch` of `slots` int32, a power of two above `count`.
@safe package struct DistinctArguments {
  package var type: DataType
  package var count: Int
  package var slots: Int
  package var hasWidePlaces: Bool
  package var input: UnsafeRawPointer
  package var scratch: UnsafeMutablePointer<Int32>
  package var values: UnsafeMutableRawPointer
  package var places: UnsafeMutableRawPointer
  package var found: UnsafeMutablePointer<Int64>

  package init(
    type: DataType, count: Int, slots: Int, hasWidePlaces: Bool, input: UnsafeRawPointer,
    scratch: UnsafeMutablePointer<Int32>, values: UnsafeMutableRawPointer,
    places: UnsafeMutableRawPointer, found: UnsafeMutablePointer<Int64>
  ) {
    self.type = type
    self.count = count
    self.slots = slots
    self.hasWidePlaces = hasWidePlaces
    unsafe self.input = input
    unsafe self.scratch = scratch
    unsafe self.values = values
    unsafe self.places = places
    unsafe self.found = found
  }
}
