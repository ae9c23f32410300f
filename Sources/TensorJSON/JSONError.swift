package import Tensors

/// The kinds of JSON values, told apart by their first byte.
package enum JSONKind: String, Sendable {
  case object, array, string, number, bool, null
}

/// Why bytes are not the JSON that was expected; offsets count bytes from the document's start.
package enum JSONError: Error, Equatable, Sendable {
  /// Nothing but white space.
  case empty
  case unexpectedEnd(offset: Int)
  /// The byte at `offset` begins nothing that the grammar allows there.
  case unexpectedByte(offset: Int)
  /// A broken escape, a control character, or bytes that are no UTF-8.
  case invalidString(offset: Int)
  case invalidNumber(offset: Int)
  case tooDeep(limit: Int, offset: Int)
  case stringTooLong(limit: Int, offset: Int)

  case wrongKind(expected: JSONKind, actual: JSONKind, offset: Int)
  /// A value that no element of `expected` can be made of.
  case wrongElement(expected: DataType, actual: JSONKind, offset: Int)
  /// A number with a fraction or exponent where an integer must stand.
  case notInteger(expected: DataType, offset: Int)
  /// A number that `expected` cannot hold.
  case outOfRange(expected: DataType, offset: Int)
  /// A list at `level` (0 is outermost) with another length than its siblings.
  case ragged(level: Int, expected: Int, actual: Int, offset: Int)
  /// An element under `actual` lists where the first lay under `expected`.
  case wrongLevel(expected: Int, actual: Int, offset: Int)
  /// More than `limit` elements.
  case tooManyElements(limit: Int, offset: Int)
  /// The type has no form in JSON.
  case unsupportedType(DataType)
}
