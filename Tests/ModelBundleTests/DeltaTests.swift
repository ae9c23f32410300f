import ByteParsing
import Cryptography
import TestSupport
import Testing

@testable import ModelBundle

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
    let pattern = noise.indices.map { noise[$0] &+ UInt8($0 % 7) }
    let (floatBase, floatRaw) = floats(16_384)
    return [
      (.raw, BlockTests.noise(999, seed: 2), BlockTests.noise(999)),
      (.zstd, noise, [UInt8](repeating: 1, count: 65_536)),
      (.copy, noise, noise),
      (.planes, noise, floatRaw),
      (.difference, noise, pattern),
      (.floatDistances, floatBase, floatRaw),
      (.prefix, noise, Array(noise[1...]) + [0]),
      (.byteDistances, noise, steps),
    ]
  }

  @Test("each method wins where it should, and gives the block back", arguments: 0..<8)
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
    for (method, raw) in [
      (3, small.map { $0 & 3 }), (4, stepped), (5, stepped), (6, stepped), (7, stepped),
    ] {
      let encoded = Self.encoded(raw, method == 3 ? nil : small, as: UInt8(method))
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

  @Test("distances of every size and sign come back, whatever the base")
  func distances() throws {
    let decoder = BlockDecoder()
    var random = SplitMix64(seed: 0xD157)
    for scale in [0, 1, 3, 13, 14, 15, 127, 255] {
      for _ in 0..<20 {
        let base = (0..<1027).map { _ in UInt8.random(in: 0...255, using: &random) }
        let raw = base.map { byte in
          Bool.random(using: &random)
            ? byte : byte &+ UInt8(truncatingIfNeeded: Int.random(in: -scale...scale, using: &random))
        }
        for method in [BlockMethod.byteDistances, .floatDistances] {
          let encoded = Self.encoded(raw, base, as: method.rawValue)
          // What takes more than the raw bytes is published raw, and refused otherwise.
          guard encoded.count < BlockCodec.encodedByteCountMaximum(raw.count) else { continue }
          #expect(try decoder.decode(encoded, rawByteCount: raw.count, base: base) == raw)
          #expect(throws: ObjectError.malformedFrame) {
            try decoder.decode(encoded + [0], rawByteCount: raw.count, base: base)
          }
          #expect(throws: ObjectError.malformedFrame) {
            try decoder.decode(encoded.dropLast(), rawByteCount: raw.count, base: base)
          }
        }
      }
    }
  }

  @Test("a twentieth of int8 weights moved by one takes little more than it says")
  func entropy() {
    var random = SplitMix64(seed: 5)
    let base = BlockTests.noise(65_536)
    let raw = base.map { byte in
      switch Int.random(in: 0..<40, using: &random) {
      case 0: byte &+ 1
      case 1: byte &- 1
      default: byte
      }
    }
    // 0.286 bits for where, 0.05 for which way: 4.2 % of the bytes.
    let encoded = BlockEncoder().encode(raw, base: base)
    #expect(encoded[0] == BlockMethod.byteDistances.rawValue)
    #expect(encoded.count < 65_536 * 45 / 1000)
  }

  /// The block by one method, whichever is the smallest.
  private static func encoded(_ raw: [UInt8], _ base: [UInt8]?, as method: UInt8) -> [UInt8] {
    switch BlockMethod(rawValue: method) {
    case .byteDistances: [method] + ByteDistances.encode(raw, from: base ?? [])
    case .floatDistances: [method] + FloatDistances.encode(raw, from: base ?? [])
    default: [method] + BlockEncoder().encode(raw, base: base).dropFirst()
    }
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
