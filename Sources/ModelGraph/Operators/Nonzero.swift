/// The elements that are not zero. Input: the data, of any shape.
package enum Nonzero: String, Sendable, Equatable {
  /// How many there are. Output: one int64.
  case count = "countNonzero"
  /// Where they are, in row order. Inputs: the data, and their number. Output: int64, one row for each,
  /// one column for each axis of the data.
  case positions = "findNonzero"
}
