/// Why an object's index or one of its blocks is refused.
package enum ObjectError: Error, Equatable, Sendable {
  /// The index has not 48 bytes a block.
  case indexByteCount(expected: Int, actual: Int)
  /// The index is not the one that the object is named by.
  case indexDigest
  /// The index lists other raw blocks than the release.
  case blockListDigest
  /// The encoded block is empty, or larger than any encoded block.
  case encodedByteCount(limit: Int, actual: Int)
  /// The encoded block is not the one that the index names.
  case encodedDigest(block: Int)
  /// The method byte is unknown.
  case unknownMethod(UInt8)
  /// The method needs bytes of an earlier bundle, and there are none.
  case missingBase(BlockMethod)
  /// The block says it has `actual` raw bytes where `expected` belong.
  case rawByteCount(expected: Int, actual: UInt64)
  /// The frame is malformed, or bytes follow it.
  case malformedFrame
  /// The decoded block is not the one that the index names.
  case rawDigest(block: Int)
}
