package import ByteParsing

/// Why bytes are not an array that can be used, or why one cannot be written.
package enum NumPyError: Error, Equatable, Sendable {
  /// The file could not be read, or ends before its header does.
  case unreadable(ParsingError)
  /// The first six bytes are not those of an array file.
  case notAnArray
  /// The format's version; 1, 2 and 3 are read.
  case version(major: UInt8, minor: UInt8)
  /// The header is longer than any array needs.
  case headerTooLong(byteCount: Int, limit: Int)
  /// The header is not the dictionary that the format prescribes; `offset` counts within the
  /// header.
  case malformedHeader(offset: Int)
  /// A key that the dictionary must have is absent.
  case missingKey(String)
  /// An element type that no tensor has, such as `>f4` or `<c8`.
  case elementType(String)
  /// The array is stored column by column.
  case columnOrder
  /// More axes than a tensor has, or more elements than can be addressed.
  case shape([Int])
  /// The elements take another number of bytes than the header says.
  case byteCount(expected: Int, actual: Int)
  /// An element type that an array file cannot hold.
  case unwritable(String)
  /// The file could not be written; `errno` of the call that failed.
  case unwritten(errno: Int32)
}
