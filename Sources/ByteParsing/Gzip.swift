/// Why bytes are no gzip file of one member.
package enum GzipError: Error, Equatable, Sendable {
  /// The bytes end within the header, the data or the trailer.
  case truncated
  /// No gzip header, or one with flags that mean nothing.
  case invalidHeader
  /// The data hold a block, a set of codes or a code that means nothing.
  case invalidData
  /// A repetition begins before the first byte.
  case distanceTooFar
  /// The data are longer than `limit` bytes.
  case tooLarge(limit: Int)
  /// The data are not as long as the trailer says, or not the same.
  case checksumMismatch
  /// Bytes follow the trailer.
  case trailingBytes

  /// One sentence for people.
  package var sentence: String {
    switch self {
    case .truncated: "The gzip data end too early."
    case .invalidHeader: "The data do not begin as gzip does."
    case .invalidData: "The gzip data are malformed."
    case .distanceTooFar: "The gzip data refer to bytes before their beginning."
    case .tooLarge(let limit): "The gzip data are longer than \(limit) bytes."
    case .checksumMismatch: "The gzip data do not match their checksum."
    case .trailingBytes: "Bytes follow the gzip data."
    }
  }
}

/// Decompresses gzip in memory, within a bound that is known before.
///
/// Source: RFC 1952, RFC 1951.
package enum Gzip {
  /// What the trailer says that the data are long; the truth is known when they are decompressed.
  package static func claimedCount(_ bytes: [UInt8]) throws(GzipError) -> Int {
    guard bytes.count >= 18 else { throw .truncated }
    return Int(word(bytes, at: bytes.count - 4))
  }

  /// The data of `bytes`.
  ///
  /// - Parameter maximum: More bytes are an error; room is made for no more than the trailer claims.
  package static func decompress(
    _ bytes: [UInt8], maximum: Int
  ) throws(GzipError) -> [UInt8] {
    let claimed = try claimedCount(bytes)
    guard claimed <= maximum else { throw .tooLarge(limit: maximum) }
    var inflater = Inflater(bytes, from: try headerCount(bytes), maximum: claimed)
    try inflater.run()
    let end = inflater.position
    guard bytes.count - end >= 8 else { throw .truncated }
    guard bytes.count - end == 8 else { throw .trailingBytes }
    guard inflater.output.count == claimed, checksum(inflater.output) == word(bytes, at: end) else {
      throw .checksumMismatch
    }
    return inflater.output
  }

  /// Bytes of the header, with the optional fields that its flags name.
  private static func headerCount(_ bytes: [UInt8]) throws(GzipError) -> Int {
    guard bytes.count >= 18 else { throw .truncated }
    let flags = bytes[3]
    guard bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8, flags & 0xE0 == 0 else {
      throw .invalidHeader
    }
    var position = 10
    if flags & 4 != 0 { position += 2 + Int(bytes[10]) + Int(bytes[11]) << 8 }
    // A file name and a comment, each up to a zero.
    for flag: UInt8 in [8, 16] where flags & flag != 0 {
      guard position < bytes.count, let end = bytes[position...].firstIndex(of: 0) else {
        throw .truncated
      }
      position = end + 1
    }
    if flags & 2 != 0 { position += 2 }
    guard position <= bytes.count - 8 else { throw .truncated }
    return position
  }

  private static func word(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes[offset..<(offset + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    let table = checksumTable
    var remainder: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      remainder = table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)] ^ (remainder >> 8)
    }
    return ~remainder
  }

  /// CRC-32 of each byte: polynomial 0x04C11DB7, bits reversed.
  private static let checksumTable: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
    }
  }
}
