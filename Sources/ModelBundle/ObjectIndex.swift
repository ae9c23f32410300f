package import Cryptography

/// The index of an object: for each block the SHA-256 of its raw bytes and the first 16 bytes of
/// the SHA-256 of its encoded bytes.
package struct ObjectIndex: Sendable, Equatable {
  /// Bytes of the index for one block.
  package static let bytesPerBlock = Digest.byteCount + encodedPrefixByteCount
  /// Bytes of the seal.
  package static let sealByteCount = 16
  private static let encodedPrefixByteCount = 16
  private static let objectIDCharacters = 22

  /// The index as it is published.
  package let bytes: [UInt8]
  /// Blocks of the object.
  package var blockCount: Int { bytes.count / ObjectIndex.bytesPerBlock }

  /// The index of blocks given as the digests of their raw and their encoded bytes.
  package init(blocks: [(raw: Digest, encoded: Digest)]) {
    bytes = blocks.flatMap { block in
      block.raw.bytes + block.encoded.prefix(ObjectIndex.encodedPrefixByteCount)
    }
  }

  /// The index in `bytes`, which must be the one that `objectID` names, of `blockCount` blocks whose
  /// raw digests have the digest `blockListSHA256`.
  package init(
    _ bytes: [UInt8], objectID: String, blockListSHA256: Digest, blockCount: Int
  ) throws(ObjectError) {
    let expected = blockCount * ObjectIndex.bytesPerBlock
    guard bytes.count == expected else {
      throw .indexByteCount(expected: expected, actual: bytes.count)
    }
    self.bytes = bytes
    guard self.objectID == objectID else { throw .indexDigest }
    guard self.blockListSHA256 == blockListSHA256 else { throw .blockListDigest }
  }

  /// What the object is called: 22 characters of base64url, the start of the index's SHA-256.
  package var objectID: String {
    String(base64URL(SHA256.hash(bytes).bytes).prefix(ObjectIndex.objectIDCharacters))
  }

  /// What is published when all blocks are: the last 16 bytes of the index's SHA-256.
  package var seal: [UInt8] {
    Array(SHA256.hash(bytes).bytes.suffix(ObjectIndex.sealByteCount))
  }

  /// The digest of the raw blocks' digests one after another, as the release states it.
  package var blockListSHA256: Digest {
    SHA256.hash((0..<blockCount).flatMap { rawBytes($0) })
  }

  /// The digest of raw block `block`.
  package func rawDigest(_ block: Int) -> Digest {
    guard let digest = Digest(rawBytes(block)) else { preconditionFailure("32 bytes a block") }
    return digest
  }

  /// Whether `encoded` is block `block` as it was published; to be asked before it is decoded.
  package func isEncoded(_ encoded: [UInt8], block: Int) -> Bool {
    let start = block * ObjectIndex.bytesPerBlock + Digest.byteCount
    let expected = bytes[start..<start + ObjectIndex.encodedPrefixByteCount]
    return SHA256.hash(encoded).prefix(ObjectIndex.encodedPrefixByteCount) == Array(expected)
  }

  /// Whether block `block` is its base, unchanged: it is neither published nor asked for.
  package func isCopy(_ block: Int) -> Bool { isEncoded(ObjectIndex.copy, block: block) }

  /// Whether an encoded block is one that stands for its base, unchanged.
  package static func isCopy(_ encoded: [UInt8]) -> Bool { encoded == copy }

  private static let copy = [BlockMethod.copy.rawValue]

  /// Whether `raw` is block `block` of the bundle.
  package func isRaw(_ raw: [UInt8], block: Int) -> Bool {
    SHA256.hash(raw) == rawDigest(block)
  }

  /// The raw bytes of `encoded`, when it is block `block` before and after decoding.
  ///
  /// - Parameter base: `rawByteCount` bytes of the earlier bundle; nil when there is none.
  package func decode(
    _ encoded: [UInt8], block: Int, rawByteCount: Int, base: [UInt8]? = nil,
    with decoder: BlockDecoder
  ) throws(ObjectError) -> [UInt8] {
    guard isEncoded(encoded, block: block) else { throw .encodedDigest(block: block) }
    let raw = try decoder.decode(encoded, rawByteCount: rawByteCount, base: base)
    guard isRaw(raw, block: block) else { throw .rawDigest(block: block) }
    return raw
  }

  private func rawBytes(_ block: Int) -> ArraySlice<UInt8> {
    let start = block * ObjectIndex.bytesPerBlock
    return bytes[start..<start + Digest.byteCount]
  }
}
