/// Why bytes from outside cannot be read; offsets count from the start of the view that was read.
package enum ParsingError: Error, Equatable, Sendable {
  /// `needed` bytes at `offset` do not lie within `count` bytes.
  case outOfBounds(offset: Int, needed: Int, count: Int)
  /// The buffer does not begin with its format's identifier.
  case wrongIdentifier
  /// Reading on at `offset` would take more memory than a file of this size can need.
  case allowanceSpent(offset: Int)
  /// The table at `offset` points at a vtable that is malformed.
  case malformedVTable(offset: Int)
  /// The string at `offset` is not UTF-8.
  case invalidString(offset: Int)
  /// The vector at `offset` holds more elements than `limit`.
  case tooManyElements(offset: Int, count: Int, limit: Int)
  /// A FlexBuffer's value at `offset` is of another type than can be read there.
  case flexBufferType(offset: Int, type: UInt8)
  /// A FlexBuffer's number or offset of so many bytes.
  case flexBufferWidth(offset: Int, width: Int)
  /// The file could not be opened, measured or mapped; `errno` of the call that failed.
  case unreadableFile(errno: Int32)
  /// The part asked for does not lie within the file.
  case partOutsideFile(offset: Int, count: Int, fileSize: Int)
}
