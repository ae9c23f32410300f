import ByteParsing
import Cryptography
import ModelBundle
import TestSupport
import Testing

@Suite("Blocks")
struct BlockTests {
  static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  @Test("come back, compressible or not, and are never larger than raw", arguments: [1, 2, 100, 65_535, 65_536])
  func roundTrip(count: Int) throws {
    let decoder = BlockDecoder()
    for raw in [[UInt8](repeating: 3, count: count), Self.noise(count)] {
      let encoded = BlockEncoder().encode(raw)
      #expect(encoded.count <= BlockCodec.encodedByteCountMaximum(count))
      #expect(try decoder.decode(encoded, rawByteCount: count) == raw)
    }
    #expect(BlockEncoder().encode([UInt8](repeating: 0, count: 65_536)).count < 100)
  }

  @Test("are refused when their frame states another size, before anything is decoded")
  func statedSize() {
    let encoded = BlockEncoder().encode([UInt8](repeating: 0, count: 65_536))
    #expect(throws: ObjectError.rawByteCount(expected: 1000, actual: 65_536)) {
      try BlockDecoder().decode(encoded, rawByteCount: 1000)
    }
    // A frame head with an 8-byte content size of 2 GiB (RFC 8878 section 3.1.1).
    let bomb: [UInt8] = [1, 0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0x80, 0, 0, 0, 0, 1, 0, 0]
    #expect(throws: ObjectError.rawByteCount(expected: 65_536, actual: 1 << 31)) {
      try BlockDecoder().decode(bomb, rawByteCount: 65_536)
    }
  }

  @Test("are refused when bytes follow the frame, a second frame among them")
  func trailing() {
    let half = BlockEncoder().encode([UInt8](repeating: 0, count: 32_768))
    for extra in [[0], Array(half.dropFirst())] {
      #expect(throws: ObjectError.malformedFrame) {
        try BlockDecoder().decode(half + extra, rawByteCount: 32_768)
      }
    }
  }

  @Test("are refused when empty, too long, of an unknown method, or raw of another size")
  func malformed() {
    let decoder = BlockDecoder()
    #expect(throws: ObjectError.encodedByteCount(limit: 11, actual: 0)) {
      try decoder.decode([], rawByteCount: 10)
    }
    #expect(throws: ObjectError.encodedByteCount(limit: 11, actual: 12)) {
      try decoder.decode([UInt8](repeating: 0, count: 12), rawByteCount: 10)
    }
    #expect(throws: ObjectError.unknownMethod(8)) { try decoder.decode([8], rawByteCount: 10) }
    #expect(throws: ObjectError.rawByteCount(expected: 10, actual: 9)) {
      try decoder.decode([UInt8](repeating: 0, count: 10), rawByteCount: 10)
    }
  }

  @Test("hold their ground on 20,000 mutations, and one decoder serves on")
  func fuzz() throws {
    let raw = Self.noise(500).map { $0 & 3 }
    let encoded = BlockEncoder().encode(raw)
    #expect(encoded[0] != BlockMethod.raw.rawValue)
    let decoder = BlockDecoder()
    var random = SplitMix64(seed: 0xB10C)
    var refused = 0
    for _ in 0..<20_000 {
      do throws(ObjectError) {
        let output = try decoder.decode(encoded.mutated(using: &random), rawByteCount: raw.count)
        #expect(output.count == raw.count)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 5_000)
    #expect(try decoder.decode(encoded, rawByteCount: raw.count) == raw)
  }
}

@Suite("Objects")
struct ObjectTests {
  let raw = BlockTests.noise(150_000).map { $0 & 15 }
  var object: EncodedObject { EncodedObject(encoding: ByteView(raw), level: 3) }

  @Test("are cut into blocks that put the bundle together again")
  func roundTrip() throws {
    let object = object
    #expect(object.blocks.count == 3 && object.index.blockCount == 3)
    let decoder = BlockDecoder()
    var output: [UInt8] = []
    for (i, block) in object.blocks.enumerated() {
      let count = min(65_536, raw.count - i * 65_536)
      output += try object.index.decode(block, block: i, rawByteCount: count, with: decoder)
    }
    #expect(output == raw)
    #expect(self.object.blocks == object.blocks)
  }

  @Test("have an index that is known by its digest and by its blocks")
  func index() throws {
    let index = object.index
    #expect(index.bytes.count == 3 * 48)
    #expect(index.objectID == String(base64URL(SHA256.hash(index.bytes).bytes).prefix(22)))
    let read = try ObjectIndex(
      index.bytes, objectID: index.objectID, blockListSHA256: index.blockListSHA256,
      blockCount: 3)
    #expect(read == index)
    #expect(throws: ObjectError.indexByteCount(expected: 192, actual: 144)) {
      try ObjectIndex(
        index.bytes, objectID: index.objectID, blockListSHA256: index.blockListSHA256,
        blockCount: 4)
    }
    #expect(throws: ObjectError.blockListDigest) {
      try ObjectIndex(
        index.bytes, objectID: index.objectID, blockListSHA256: SHA256.hash([]), blockCount: 3)
    }
    for place in index.bytes.indices {
      var changed = index.bytes
      changed[place] ^= 1
      #expect(throws: ObjectError.indexDigest) {
        try ObjectIndex(
          changed, objectID: index.objectID, blockListSHA256: index.blockListSHA256,
          blockCount: 3)
      }
    }
  }

  @Test("refuse a block that is another's, before it is decoded")
  func swapped() {
    let object = object
    #expect(throws: ObjectError.encodedDigest(block: 0)) {
      try object.index.decode(
        object.blocks[1], block: 0, rawByteCount: 65_536, with: BlockDecoder())
    }
  }

  @Test("refuse a block whose encoding is listed but whose bytes are not")
  func wrongRaw() {
    let encoded = BlockEncoder().encode(raw)
    let index = ObjectIndex(blocks: [(raw: SHA256.hash([]), encoded: SHA256.hash(encoded))])
    #expect(throws: ObjectError.rawDigest(block: 0)) {
      try index.decode(encoded, block: 0, rawByteCount: raw.count, with: BlockDecoder())
    }
  }
}
