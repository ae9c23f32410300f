/// How a block is encoded: the first byte of every encoded block.
///
/// The base of a block is the bytes at its offset in an earlier bundle, with zeros where that one
/// has ended.
package enum BlockMethod: UInt8, Sendable, CaseIterable {
  /// The raw bytes follow.
  case raw = 0
  /// One zstd frame with its content size follows; so for every method below that says frame.
  case zstd = 1
  /// Nothing follows: the raw bytes are the base's.
  case copy = 2
  /// A frame of the bytes of 32-bit words, sorted by significance.
  case planes = 3
  /// A frame of the differences from the base, byte by byte.
  case difference = 4
  /// The distances between the base's 32-bit floats and the block's, range coded.
  case floatDistances = 5
  /// A frame that refers to the base as its prefix.
  case prefix = 6
  /// The differences from the base byte by byte, as signed numbers, range coded.
  case byteDistances = 7

  /// Whether the block is decoded with the help of its base.
  package var needsBase: Bool {
    switch self {
    case .raw, .zstd, .planes: false
    case .copy, .difference, .floatDistances, .prefix, .byteDistances: true
    }
  }
}

/// The bounds of encoded blocks.
package enum BlockCodec {
  /// Bytes of the largest encoded block of `rawByteCount` bytes: stored raw after the method byte.
  package static func encodedByteCountMaximum(_ rawByteCount: Int) -> Int { rawByteCount + 1 }
  /// The zstd level of published blocks.
  package static let defaultLevel = 15
}
