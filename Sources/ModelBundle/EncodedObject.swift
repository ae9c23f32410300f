package import ByteParsing
import Cryptography

/// A bundle cut into blocks and encoded, ready to be published.
package struct EncodedObject: Sendable {
  /// The index of the blocks.
  package let index: ObjectIndex
  /// The encoded blocks in order.
  package let blocks: [[UInt8]]
  /// A block has 2 to this power raw bytes; the last one may be shorter.
  package let blockSizeLog2: Int

  /// Bytes of all encoded blocks; those that a device copies from its base take none.
  package var encodedBytes: Int64 { blocks.reduce(0) { $0 + Int64(ObjectIndex.isCopy($1) ? 0 : $1.count) } }

  /// Encodes `raw`; equal bytes, sizes and levels give equal blocks.
  ///
  /// - Parameter base: an earlier bundle that decoding is to be given; nil for an object that needs
  ///   none.
  package init(
    encoding raw: ByteView, base: ByteView? = nil, blockSizeLog2: Int = 16,
    level: Int = BlockCodec.defaultLevel
  ) {
    let encoder = BlockEncoder(level: level)
    var digests: [(raw: Digest, encoded: Digest)] = []
    var blocks: [[UInt8]] = []
    for offset in stride(from: 0, to: raw.count, by: 1 << blockSizeLog2) {
      guard let block = try? raw.slice(at: offset, count: min(1 << blockSizeLog2, raw.count - offset))
      else { preconditionFailure("blocks lie within the bundle") }
      let encoded = encoder.encode(
        block.array, base: base.map { Self.baseBlock($0, at: offset, count: block.count) })
      digests.append((block.sha256, SHA256.hash(encoded)))
      blocks.append(encoded)
    }
    index = ObjectIndex(blocks: digests)
    self.blocks = blocks
    self.blockSizeLog2 = blockSizeLog2
  }

  /// The base of a block: the bytes at its offset, and zeros where there are none.
  private static func baseBlock(_ base: ByteView, at offset: Int, count: Int) -> [UInt8] {
    let there = max(0, min(count, base.count - offset))
    let bytes = (try? base.slice(at: min(offset, base.count), count: there))?.array ?? []
    return bytes + [UInt8](repeating: 0, count: count - bytes.count)
  }
}
