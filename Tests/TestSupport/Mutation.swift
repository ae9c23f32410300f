/// Seeded damage to bytes, as a bad disk or a hostile sender does it.
package struct Mutation {
  private var random: SplitMix64

  package init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// `bytes` with one to four places flipped, zeroed, saturated, set to a small number or
  /// overwritten by another part.
  package mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
    guard !bytes.isEmpty else { return bytes }
    var result = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: result[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: fill(&result, place, with: 0)
      case 2: fill(&result, place, with: 0xFF)
      case 3: result[place] = UInt8.random(in: 0...8, using: &random)
      default: splice(&result, place)
      }
    }
    return result
  }

  private mutating func fill(_ bytes: inout [UInt8], _ place: Int, with byte: UInt8) {
    let end = min(bytes.count, place + Int.random(in: 1...8, using: &random))
    for index in place..<end { bytes[index] = byte }
  }

  private mutating func splice(_ bytes: inout [UInt8], _ place: Int) {
    let source = Int.random(in: 0..<bytes.count, using: &random)
    let count = min(
      Int.random(in: 1...32, using: &random), bytes.count - place, bytes.count - source)
    for index in 0..<count { bytes[place + index] = bytes[source + index] }
  }
}
