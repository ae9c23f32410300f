extension [UInt8] {
  /// A copy with one to four changes: a bit or byte replaced, bytes removed, inserted or repeated, or
  /// the end cut off.
  package func mutated(using random: inout SplitMix64) -> [UInt8] {
    var bytes = self
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard !bytes.isEmpty else { return bytes }
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<7, using: &random) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 2: bytes[place] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
      case 3: bytes.removeSubrange(place..<Swift.min(place + 3, bytes.count))
      case 4: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      case 5: bytes.insert(contentsOf: bytes[place..<Swift.min(place + 8, bytes.count)], at: place)
      default: bytes.removeSubrange(place...)
      }
    }
    return bytes
  }
}
