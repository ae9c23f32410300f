package import ByteParsing
import Cryptography

/// A whole bundle cut into blocks and encoded, ready to be published.
package struct EncodedObject: Sendable {
  /// The index of the blocks.
  package let index: ObjectIndex
  /// The encoded blocks in order.
  package let blocks: [[UInt8]]
  /// A block has 2 to this power raw bytes; the last one may be shorter.
  package let blockSizeLog2: Int

  /// Bytes of all encoded blocks.
  package var encodedBytes: Int64 { blocks.reduce(0) { $0 + Int64($1.count) } }

  /// Encodes `raw`; equal bytes, sizes and levels give equal blocks.
  package init(
    encoding raw: ByteView, blockSizeLog2: Int = 16, level: Int = BlockCodec.defaultLevel
  ) {
    let encoder = BlockEncoder(level: level)
    var digests: [(raw: Digest, encoded: Digest)] = []
    var blocks: [[UInt8]] = []
    for offset in stride(from: 0, to: raw.count, by: 1 << blockSizeLog2) {
      guard let block = try? raw.slice(at: offset, count: min(1 << blockSizeLog2, raw.count - offset))
      else { preconditionFailure("blocks lie within the bundle") }
      let encoded = encoder.encode(block.array)
      digests.append((block.sha256, SHA256.hash(encoded)))
      blocks.append(encoded)
    }
    index = ObjectIndex(blocks: digests)
    self.blocks = blocks
    self.blockSizeLog2 = blockSizeLog2
  }
}
