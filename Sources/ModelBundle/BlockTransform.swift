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
}
