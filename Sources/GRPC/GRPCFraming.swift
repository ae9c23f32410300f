internal import ByteParsing
internal import NIOCore

/// The framing of messages within a call: a flag for compression, a length, the message.
///
/// Source: gRPC over HTTP/2, Length-Prefixed-Message.
package enum GRPCFraming {
  /// Bytes before each message: the flag, and the length, big-endian.
  package static let prefixBytes = 5

  /// Fills the room that was left before a reply.
  ///
  /// - Precondition: there are at least `prefixBytes` bytes.
  static func seal(_ message: inout [UInt8]) {
    let count = UInt32(message.count - prefixBytes)
    message[0] = 0
    for place in 0..<4 {
      message[1 + place] = UInt8(truncatingIfNeeded: count >> UInt32(24 - 8 * place))
    }
  }
}

/// Gathers the one message of a request from the pieces that arrive.
struct GRPCMessageReader {
  /// A message of which more has really arrived gets its whole room at once.
  private static let trustedBytes = 1 << 16

  /// Whether the message may be compressed.
  private let mayBeCompressed: Bool
  private var isCompressed = false
  private var prefix: UInt64 = 0
  private var prefixCount = 0
  private var length = 0
  private var message: [UInt8] = []

  init(mayBeCompressed: Bool = false) { self.mayBeCompressed = mayBeCompressed }

  /// Takes the next bytes of the request.
  ///
  /// The room for the message is paid for when its length is known.
  mutating func append(
    _ piece: ByteBuffer, _ limits: GRPCLimits, _ memory: CallMemory
  ) throws(GRPCStatus) {
    var piece = piece
    while prefixCount < GRPCFraming.prefixBytes, let byte: UInt8 = piece.readInteger() {
      prefix = prefix << 8 | UInt64(byte)
      prefixCount += 1
      if prefixCount == GRPCFraming.prefixBytes { try begin(limits, memory) }
    }
    guard piece.readableBytes > 0 else { return }
    guard piece.readableBytes <= length - message.count else {
      throw GRPCStatus(.internal, "The request holds more than its one message.")
    }
    if message.count + piece.readableBytes > Self.trustedBytes { message.reserveCapacity(length) }
    message.append(contentsOf: piece.readableBytesView)
  }

  /// What came of a request that has ended.
  struct Whole: Sendable {
    fileprivate let bytes: [UInt8]
    /// Bytes of the message when it is decompressed; nil where it is not compressed.
    fileprivate let expandedCount: Int?

    /// Bytes that are gone through until the message is read.
    var byteCount: Int { max(bytes.count, expandedCount ?? 0) }

    /// The message itself.
    func message() throws(GRPCStatus) -> [UInt8] {
      guard let expandedCount else { return bytes }
      do throws(GzipError) {
        return try Gzip.decompress(bytes, maximum: expandedCount)
      } catch {
        throw GRPCStatus(.internal, error.sentence)
      }
    }
  }

  /// The message, when it has come whole, with the room for what it is decompressed to paid for.
  consuming func finish(
    _ limits: GRPCLimits, _ memory: CallMemory
  ) throws(GRPCStatus) -> Whole {
    guard prefixCount == GRPCFraming.prefixBytes else {
      throw GRPCStatus(.internal, "The request holds no message.")
    }
    guard message.count == length else {
      throw GRPCStatus(
        .internal, "The request ends after \(message.count) of the \(length) bytes of its message.")
    }
    guard isCompressed else { return Whole(bytes: message, expandedCount: nil) }
    let count: Int
    do throws(GzipError) {
      count = try Gzip.claimedCount(message)
    } catch {
      throw GRPCStatus(.internal, error.sentence)
    }
    try Self.check(count, limits)
    try memory.take(count * limits.messageCopies + Gzip.workingBytes)
    return Whole(bytes: message, expandedCount: count)
  }

  private static func check(_ count: Int, _ limits: GRPCLimits) throws(GRPCStatus) {
    var maximum = limits.messageBytesMaximum
    guard count > maximum else { return }
    if let larger = limits.largerMessages { maximum = max(maximum, larger()) }
    guard count <= maximum else {
      throw GRPCStatus(
        .resourceExhausted,
        "The message of \(count) bytes is larger than the maximum, \(maximum).")
    }
  }

  /// Bytes of flow control that the client needs beyond `window` to send the message, once its
  /// length is known; frames may be padded.
  func missingWindow(beyond window: Int) -> Int {
    let needed = GRPCFraming.prefixBytes + length + length / 8 + (1 << 16)
    return length == 0 ? 0 : max(0, min(needed, Int(Int32.max)) - window)
  }

  private mutating func begin(_ limits: GRPCLimits, _ memory: CallMemory) throws(GRPCStatus) {
    switch prefix >> 32 {
    case 0: break
    case 1 where mayBeCompressed: isCompressed = true
    case 1: throw GRPCStatus(.internal, "The message is compressed, and no encoding was named.")
    default: throw GRPCStatus(.internal, "The flag of the message is neither 0 nor 1.")
    }
    length = Int(prefix & 0xFFFF_FFFF)
    try Self.check(length, limits)
    try memory.take(limits.callBytes + length * limits.messageCopies)
    message.reserveCapacity(min(length, Self.trustedBytes))
  }
}
