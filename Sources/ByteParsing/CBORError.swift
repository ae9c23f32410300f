/// Why bytes are not of the strict CBOR subset, or not of the map that is expected.
///
/// Offsets count bytes from the start of the input.
package enum CBORError: Error, Equatable, Sendable {
  /// An item needs `needed` bytes at `offset`; `available` are left.
  case truncated(offset: Int, needed: UInt64, available: Int)
  /// `count` bytes follow the last item.
  case trailingBytes(count: Int)
  /// An item of another kind than the expected one.
  case unexpectedKind(offset: Int, expected: CBORKind, initialByte: UInt8)
  /// A float, an undefined or indefinite item, a tag, or a simple value other than true and false.
  case unsupported(offset: Int, initialByte: UInt8)
  /// A count or integer that has a shorter encoding.
  case notShortest(offset: Int)
  /// A map key that is not above the one before it.
  case keyOrder(previous: UInt64, key: UInt64)
  /// Items nest deeper than `limit`.
  case tooDeep(limit: Int)
  /// A count above what the field allows.
  case tooLong(offset: Int, limit: Int, actual: UInt64)
  /// A text string that is not UTF-8.
  case invalidText(offset: Int)
  /// An integer outside the range of its field.
  case outOfRange(offset: Int)
  /// A key that must be there is absent.
  case missingKey(UInt64)
  /// A key below 128 that the reader does not know.
  case unknownKey(UInt64)
}

/// The kinds of item in the subset; raw values are the major types of RFC 8949.
package enum CBORKind: UInt8, Sendable {
  case unsigned = 0, negative = 1, bytes = 2, text = 3, array = 4, map = 5, tag = 6, simple = 7
}
