/// A SHA-256 digest: 32 bytes, held without an allocation.
package struct Digest: Hashable, Sendable {
  /// Bytes of every digest.
  package static let byteCount = 32

  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// A digest from its 32 bytes; nil for any other count.
  package init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Digest.byteCount else { return nil }
    var words = [UInt64](repeating: 0, count: 4)
    for (i, byte) in bytes.enumerated() { words[i / 8] = words[i / 8] << 8 | UInt64(byte) }
    self.words = (words[0], words[1], words[2], words[3])
  }

  /// A digest from 64 lower-case hexadecimal digits; nil for anything else.
  package init?(hex: String) {
    guard hex.utf8.count == 2 * Digest.byteCount, let bytes = hexadecimalBytes(hex) else {
      return nil
    }
    self.init(bytes)
  }

  /// The 32 bytes in order.
  package var bytes: [UInt8] {
    [words.0, words.1, words.2, words.3].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
    }
  }

  /// 64 lower-case hexadecimal digits.
  package var hex: String { hexadecimal(bytes) }

  /// The first `count` bytes, at most 32.
  package func prefix(_ count: Int) -> [UInt8] { Array(bytes.prefix(count)) }

  package static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}
