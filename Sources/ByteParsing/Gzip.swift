internal import CGzip

/// Why bytes are no gzip file of one member.
package enum GzipError: Error, Equatable, Sendable {
  /// The bytes end within the header, the data or the trailer.
  case truncated
  /// Header, data or trailer are broken; in the words of zlib.
  case malformed(reason: String)
  /// The data are longer than `limit` bytes.
  case tooLarge(limit: Int)
  /// Bytes follow the trailer.
  case trailingBytes
  /// The system has no memory for the state of a decompression.
  case outOfMemory

  /// One sentence for people.
  package var sentence: String {
    switch self {
    case .truncated: "The gzip data end too early."
    case .malformed(let reason): "The gzip data are malformed: \(reason)."
    case .tooLarge(let limit): "The gzip data are longer than \(limit) bytes."
    case .trailingBytes: "Bytes follow the gzip data."
    case .outOfMemory: "There is no memory to decompress the gzip data."
    }
  }
}

/// Decompresses gzip in memory, within a bound that is known before.
///
/// Source: RFC 1952, RFC 1951.
package enum Gzip {
  /// What zlib takes for one decompression besides input and output, rounded up: a window of 32 KiB
  /// and its tables.
  package static let workingBytes = 48 << 10
  /// The least that header, data and trailer take.
  private static let bytesMinimum = 18

  /// What the trailer says that the data are long; the truth is known when they are decompressed.
  package static func claimedCount(_ bytes: [UInt8]) throws(GzipError) -> Int {
    guard bytes.count >= bytesMinimum else { throw .truncated }
    return bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The data of `bytes`.
  ///
  /// - Parameter maximum: More bytes are an error; room is made for no more than the trailer claims.
  package static func decompress(
    _ bytes: [UInt8], maximum: Int
  ) throws(GzipError) -> [UInt8] {
    let claimed = try claimedCount(bytes)
    guard claimed <= maximum, max(claimed, bytes.count) < Int(UInt32.max) else {
      throw .tooLarge(limit: maximum)
    }
    var failure: GzipError?
    // One byte more, by which data show that they are longer than they claim.
    let data = unsafe [UInt8](unsafeUninitializedCapacity: claimed + 1) { output, count in
      failure = unsafe decompress(bytes, into: output, claimed, &count)
    }
    if let failure { throw failure }
    guard data.count == claimed else { throw .tooLarge(limit: claimed) }
    return data
  }

  /// Sound: the call is given both buffers with their sizes, and keeps neither.
  private static func decompress(
    _ bytes: [UInt8], into output: UnsafeMutableBufferPointer<UInt8>, _ claimed: Int,
    _ count: inout Int
  ) -> GzipError? {
    var written = 0
    var reason: UnsafePointer<CChar>?
    let outcome = unsafe cgzip_decompress(
      bytes, UInt32(bytes.count), output.baseAddress, UInt32(claimed + 1), &written, &reason)
    switch outcome {
    case cgzip_done:
      count = written
      return nil
    case cgzip_truncated: return .truncated
    case cgzip_too_large: return .tooLarge(limit: claimed)
    case cgzip_trailing_bytes: return .trailingBytes
    case cgzip_out_of_memory: return .outOfMemory
    default:
      return unsafe .malformed(reason: reason.map { unsafe String(cString: $0) } ?? "unknown data")
    }
  }
}
