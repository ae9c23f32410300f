/// Reversible rearrangements of a block that make weights compress better.
///
/// Words are 32 bits, little endian, from the start of the block; up to three bytes at its end
/// belong to no word and are taken by themselves.
enum BlockTransform {
  private static let wordBytes = 4

  /// All least significant bytes, then all next ones, and so on.
  static func planes(_ bytes: [UInt8]) -> [UInt8] {
    let words = bytes.count / wordBytes
    var sorted = bytes
    for plane in 0..<wordBytes {
      for word in 0..<words { sorted[plane * words + word] = bytes[word * wordBytes + plane] }
    }
    return sorted
  }

  /// Undoes `planes`.
  static func joined(_ sorted: [UInt8]) -> [UInt8] {
    let words = sorted.count / wordBytes
    var bytes = sorted
    for plane in 0..<wordBytes {
      for word in 0..<words { bytes[word * wordBytes + plane] = sorted[plane * words + word] }
    }
    return bytes
  }

  /// What is added to each byte of `base` to get `bytes`, modulo 256.
  static func difference(_ bytes: [UInt8], from base: [UInt8]) -> [UInt8] {
    precondition(bytes.count == base.count)
    return bytes.indices.map { bytes[$0] &- base[$0] }
  }

  /// Undoes `difference`.
  static func sum(_ differences: [UInt8], on base: [UInt8]) -> [UInt8] {
    precondition(differences.count == base.count)
    return differences.indices.map { differences[$0] &+ base[$0] }
  }

  /// The distance of each float from the base's, counted in representable floats, small ones of
  /// either sign as small numbers; sorted into planes.
  static func floatDifference(_ bytes: [UInt8], from base: [UInt8]) -> [UInt8] {
    var distances = difference(bytes, from: base)
    for offset in wordOffsets(bytes) {
      let distance = Int32(bitPattern: order(word(bytes, offset)) &- order(word(base, offset)))
      store(UInt32(bitPattern: distance << 1 ^ distance >> 31), &distances, offset)
    }
    return planes(distances)
  }

  /// Undoes `floatDifference`.
  static func floatSum(_ sorted: [UInt8], on base: [UInt8]) -> [UInt8] {
    let distances = joined(sorted)
    var bytes = sum(distances, on: base)
    for offset in wordOffsets(bytes) {
      let folded = word(distances, offset)
      let distance = folded >> 1 ^ (0 &- (folded & 1))
      store(disorder(order(word(base, offset)) &+ distance), &bytes, offset)
    }
    return bytes
  }

  private static func wordOffsets(_ bytes: [UInt8]) -> StrideTo<Int> {
    stride(from: 0, to: bytes.count - bytes.count % wordBytes, by: wordBytes)
  }

  /// A number that rises with the float whose bits are given.
  private static func order(_ bits: UInt32) -> UInt32 { bits >> 31 == 1 ? ~bits : bits | 1 << 31 }

  private static func disorder(_ number: UInt32) -> UInt32 {
    number >> 31 == 1 ? number ^ 1 << 31 : ~number
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
      | UInt32(bytes[offset + 3]) << 24
  }

  private static func store(_ word: UInt32, _ bytes: inout [UInt8], _ offset: Int) {
    for place in 0..<wordBytes {
      bytes[offset + place] = UInt8(truncatingIfNeeded: word >> UInt32(8 * place))
    }
  }
}
