/// A release in one file: the messages that a broker would retain for it, one after another, so
/// that whoever reads it checks what it would check of a broker's.
///
/// 16 bytes of magic; then for each message the byte count of its topic (2 bytes), of its payload
/// (4 bytes, both little-endian), the topic and the payload; last a message of neither.
package enum ArchiveFormat {
  /// The first bytes of a file.
  package static let magic = Array("edgeserve-rel-1\n".utf8)
  /// Bytes before each topic.
  package static let headerBytes = 6
  /// Bytes of a topic.
  package static let topicBytes = 256
  /// Bytes of a payload: the largest block, encoded.
  package static let payloadBytes = 300 * 1024
  /// Messages of a file.
  package static let messagesMaximum = 4 * Int(DocumentLimits.blocks)

  /// What stands before a topic; the end of the file when both are zero.
  package struct Header: Sendable, Equatable {
    package var topicBytes: Int
    package var payloadBytes: Int

    package var isEnd: Bool { topicBytes == 0 && payloadBytes == 0 }

    /// The header in the first bytes of `bytes`; nil when there are too few, or it is none.
    package init?(_ bytes: [UInt8]) {
      guard bytes.count >= ArchiveFormat.headerBytes else { return nil }
      topicBytes = Int(bytes[0]) | Int(bytes[1]) << 8
      payloadBytes = (0..<4).reduce(0) { $0 | Int(bytes[2 + $1]) << (8 * $1) }
      guard isEnd || topicBytes > 0, topicBytes <= ArchiveFormat.topicBytes,
        payloadBytes <= ArchiveFormat.payloadBytes
      else { return nil }
    }
  }

  /// The bytes of one message.
  ///
  /// - Precondition: topic and payload are within the bounds.
  package static func encode(_ topic: String, _ payload: [UInt8]) -> [UInt8] {
    let name = Array(topic.utf8)
    precondition((1...topicBytes).contains(name.count) && payload.count <= payloadBytes)
    return header(name.count, payload.count) + name + payload
  }

  /// What ends a file.
  package static let end = header(0, 0)

  private static func header(_ topicBytes: Int, _ payloadBytes: Int) -> [UInt8] {
    [UInt8(topicBytes & 255), UInt8(topicBytes >> 8)]
      + (0..<4).map { UInt8(truncatingIfNeeded: payloadBytes >> (8 * $0)) }
  }
}
