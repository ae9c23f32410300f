/// Writes FlexBuffers for tests.
package enum FlexBufferWriter {
  /// A map of whole numbers, each of 32 bits.
  package static func map(_ entries: [String: Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    var keys: [Int] = []
    let sorted = entries.sorted { $0.key < $1.key }
    for (key, _) in sorted {
      keys.append(bytes.count)
      bytes += Array(key.utf8) + [0]
    }
    bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    bytes += word(keys.count)
    let keyVector = bytes.count
    for key in keys { bytes += word(bytes.count - key) }
    bytes += word(bytes.count - keyVector) + word(4) + word(keys.count)
    let values = bytes.count
    for (_, value) in sorted { bytes += word(value) }
    // Integers, whose type is 1; the map's is 9. Both are followed by the logarithm of a width.
    bytes += [UInt8](repeating: 1 << 2, count: sorted.count)
    return bytes + [UInt8(bytes.count - values), 9 << 2 | 2, 1]
  }

  private static func word(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
