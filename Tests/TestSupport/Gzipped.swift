/// Gzip files, made without a compressor.
package enum Gzipped {
  /// One stored block, or several where one does not hold the data.
  package static func stored(_ data: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
    var rest = data[...]
    repeat {
      let block = rest.prefix(0xFFFF)
      rest = rest.dropFirst(block.count)
      bytes.append(rest.isEmpty ? 1 : 0)
      bytes += little(UInt32(block.count) | UInt32(~UInt16(block.count)) << 16)
      bytes += block
    } while !rest.isEmpty
    return bytes + little(checksum(data)) + little(UInt32(data.count))
  }

  /// CRC-32, bit by bit as its definition has it.
  package static func checksum(_ data: [UInt8]) -> UInt32 {
    var remainder: UInt32 = 0xFFFF_FFFF
    for byte in data {
      remainder ^= UInt32(byte)
      for _ in 0..<8 {
        remainder = remainder & 1 == 1 ? 0xEDB8_8320 ^ (remainder >> 1) : remainder >> 1
      }
    }
    return ~remainder
  }

  private static func little(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
  }
}
