import ByteParsing
import Cryptography
import ModelBundle
import TestSupport
import Testing

@Suite("Deltas")
struct DeltaTests {
  /// Trained-looking floats and the same after a small step of each.
  private static func floats(_ count: Int) -> (base: [UInt8], raw: [UInt8]) {
    var random = SplitMix64(seed: 9)
    var (base, raw): ([UInt8], [UInt8]) = ([], [])
    for _ in 0..<count {
      let weight = Float.random(in: -0.1...0.1, using: &random)
      let step = Float.random(in: -1e-6...1e-6, using: &random)
      for (value, place) in [(weight, 0), (weight + step, 1)] {
        let bits = value.bitPattern
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: bits >> UInt32(8 * $0)) }
        if place == 0 { base += bytes } else { raw += bytes }
      }
    }
    return (base, raw)
  }

  /// A base and a block, and the method that is expected to win.
  private static var cases: [(BlockMethod, base: [UInt8], raw: [UInt8])] {
    let noise = BlockTests.noise(65_536)
    var random = SplitMix64(seed: 4)
    let steps = noise.map { $0 &+ UInt8.random(in: 0...2, using: &random) }
    let (floatBase, floatRaw) = floats(16_384)
    return [
      (.raw, BlockTests.noise(999, seed: 2), BlockTests.noise(999)),
      (.zstd, noise, [UInt8](repeating: 1, count: 65_536)),
      (.copy, noise, noise),
      (.planes, noise, floatRaw),
      (.difference, noise, steps),
      (.floatDifference, floatBase, floatRaw),
      (.prefix, noise, Array(noise[1...]) + [0]),
    ]
  }

  @Test("each method wins where it should, and gives the block back", arguments: 0..<7)
  func methods(i: Int) throws {
    let (method, base, raw) = Self.cases[i]
    let encoded = BlockEncoder().encode(raw, base: base)
    #expect(BlockMethod(rawValue: encoded[0]) == method)
    let decoder = BlockDecoder()
    #expect(try decoder.decode(encoded, rawByteCount: raw.count, base: base) == raw)
    // A context serves on without the base of the block before.
    let plain = BlockEncoder().encode(raw)
    #expect(try decoder.decode(plain, rawByteCount: raw.count) == raw)
    if method.needsBase {
      #expect(throws: ObjectError.missingBase(method)) {
        try decoder.decode(encoded, rawByteCount: raw.count)
      }
    } else {
      #expect(encoded.count <= plain.count)
    }
  }

  @Test("blocks whose bytes are not whole words come back", arguments: [1, 2, 3, 5, 1023])
  func oddSizes(count: Int) throws {
    let base = [UInt8](repeating: 250, count: count)
    var raw = base
    raw[count - 1] = 7
    for (base, raw) in [(base, raw), (raw, base)] {
      let encoded = BlockEncoder().encode(raw, base: base)
      #expect(try BlockDecoder().decode(encoded, rawByteCount: count, base: base) == raw)
    }
  }

  @Test("an object stands on a shorter or a longer base", arguments: [0, 1, 65_536, 70_000, 300_000])
  func baseSizes(count: Int) throws {
    let raw = BlockTests.noise(150_000)
    let base = Array((raw + BlockTests.noise(150_000, seed: 3)).prefix(count))
    let object = EncodedObject(encoding: ByteView(raw), base: ByteView(base), level: 3)
    let decoder = BlockDecoder()
    var output: [UInt8] = []
    for (i, block) in object.blocks.enumerated() {
      let rawByteCount = min(65_536, raw.count - i * 65_536)
      let padded = base.dropFirst(i * 65_536).prefix(rawByteCount)
      output += try object.index.decode(
        block, block: i, rawByteCount: rawByteCount,
        base: padded + [UInt8](repeating: 0, count: rawByteCount - padded.count), with: decoder)
    }
    #expect(output == raw)
    #expect(object.index.blockListSHA256
      == EncodedObject(encoding: ByteView(raw), level: 3).index.blockListSHA256)
  }

  @Test("on another base the raw digest does not hold")
  func wrongBase() {
    let (_, base, raw) = Self.cases[4]
    let object = EncodedObject(encoding: ByteView(raw), base: ByteView(base))
    #expect(throws: ObjectError.rawDigest(block: 0)) {
      try object.index.decode(
        object.blocks[0], block: 0, rawByteCount: raw.count,
        base: [UInt8](repeating: 0, count: raw.count), with: BlockDecoder())
    }
  }

  @Test("an unchanged block takes no bytes and is known by its index")
  func copies() {
    let base = BlockTests.noise(200_000)
    var raw = base
    raw[70_000] ^= 1
    let object = EncodedObject(encoding: ByteView(raw), base: ByteView(base))
    #expect((0..<4).map(object.index.isCopy) == [true, false, true, true])
    #expect(object.encodedBytes == Int64(object.blocks[1].count))
    #expect(object.encodedBytes < 100)
  }

  @Test("the decoder holds its ground on 20,000 mutations of each method")
  func fuzz() throws {
    let decoder = BlockDecoder()
    var random = SplitMix64(seed: 0xDE17A)
    let small = BlockTests.noise(400)
    let stepped = small.map { $0 &+ ($0 & 1) }
    for (method, raw) in [(3, small.map { $0 & 3 }), (4, stepped), (5, stepped), (6, stepped)] {
      var encoded = BlockEncoder().encode(raw, base: method == 3 ? nil : small)
      encoded[0] = UInt8(method)
      var refused = 0
      for _ in 0..<20_000 {
        do throws(ObjectError) {
          let output = try decoder.decode(
            encoded.mutated(using: &random), rawByteCount: raw.count, base: small)
          #expect(output.count == raw.count)
        } catch {
          refused += 1
        }
      }
      #expect(refused > 5_000)
    }
    let whole = BlockEncoder().encode(small)
    #expect(try decoder.decode(whole, rawByteCount: 400) == small)
  }

  @Test("a fine-tuned digits model takes a fraction of its full object")
  func fineTuned() throws {
    let models = try (2...3).map { version in
      try MappedFile(path: Fixtures.digitsModel(version)).bytes
    }
    let full = EncodedObject(encoding: models[1])
    let delta = EncodedObject(encoding: models[1], base: models[0])
    #expect(delta.encodedBytes * 10 < full.encodedBytes * 7)
  }
}
