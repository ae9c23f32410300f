import ByteParsing
import TestSupport
import Testing

@Suite("CBOR")
struct CBORTests {
  /// RFC 8949 appendix A, the integers of the subset.
  @Test(
    "writes and reads the published integers",
    arguments: [
      (0, "00"), (23, "17"), (24, "1818"), (100, "1864"), (1000, "1903e8"),
      (1_000_000, "1a000f4240"), (1_000_000_000_000, "1b000000e8d4a51000"), (-1, "20"),
      (-100, "3863"), (-1000, "3903e7"), (Int64.max, "1b7fffffffffffffff"),
      (Int64.min, "3b7fffffffffffffff"),
    ] as [(Int64, String)])
  func integers(value: Int64, hex: String) throws {
    var writer = CBORWriter()
    writer.integer(value)
    #expect(writer.bytes == bytes(hex))
    var reader = CBORReader(bytes(hex))
    #expect(try reader.signedInteger() == value)
    try reader.finish()
  }

  @Test("writes and reads strings, booleans, arrays and maps")
  func items() throws {
    var writer = CBORWriter()
    writer.map { map in
      map.text(1, "ü")
      map.byteString(2, [1, 2])
      map.boolean(24, true)
      map.field(200) { $0.array([1, 2, 3]) { $0.unsigned($1) } }
    }
    #expect(writer.bytes == bytes("a40162c3bc024201021818f518c883010203"))
    var reader = CBORReader(writer.bytes)
    try reader.beginMap()
    try reader.require(1)
    #expect(try reader.text(maximum: 2) == "ü")
    try reader.require(2)
    #expect(try reader.byteString(count: 2) == [1, 2])
    #expect(try !reader.has(3))
    try reader.require(24)
    #expect(try reader.boolean())
    try reader.endMap()
    try reader.finish()
  }

  @Test(
    "passes over nothing outside the subset",
    arguments: [
      "1800": .notShortest(offset: 0),
      "190017": .notShortest(offset: 0),
      "1a0000ffff": .notShortest(offset: 0),
      "1b00000000ffffffff": .notShortest(offset: 0),
      "1c": .unsupported(offset: 0, initialByte: 0x1C),
      "5f4101ff": .unsupported(offset: 0, initialByte: 0x5F),
      "9fff": .unsupported(offset: 0, initialByte: 0x9F),
      "bfff": .unsupported(offset: 0, initialByte: 0xBF),
      "f6": .unsupported(offset: 0, initialByte: 0xF6),
      "f7": .unsupported(offset: 0, initialByte: 0xF7),
      "f93c00": .unsupported(offset: 0, initialByte: 0xF9),
      "fb3ff0000000000000": .unsupported(offset: 0, initialByte: 0xFB),
      "c000": .unsupported(offset: 0, initialByte: 0xC0),
      "": .truncated(offset: 0, needed: 1, available: 0),
      "18": .truncated(offset: 0, needed: 2, available: 1),
      "4201": .truncated(offset: 1, needed: 2, available: 1),
      "5b7fffffffffffffff": .tooLong(offset: 0, limit: 9, actual: UInt64(Int64.max)),
      "9affffffff00": .tooLong(offset: 0, limit: 6, actual: 0xFFFF_FFFF),
      "8300": .tooLong(offset: 0, limit: 2, actual: 3),
      "a20000": .truncated(offset: 1, needed: 2, available: 2),
      "61ff": .invalidText(offset: 0),
      "a201000100": .keyOrder(previous: 1, key: 1),
      "a202000100": .keyOrder(previous: 2, key: 1),
      "a1200000": .unexpectedKind(offset: 1, expected: .unsigned, initialByte: 0x20),
      "8181818100": nil,
      "818181818100": .tooDeep(limit: 4),
    ] as [String: CBORError?])
  func strictness(hex: String, expected: CBORError?) throws {
    var reader = CBORReader(bytes(hex))
    do throws(CBORError) {
      try reader.skipItem()
      #expect(expected == nil)
    } catch {
      #expect(error == expected)
    }
  }

  @Test("ignores an unknown key from 128 on and refuses a smaller one")
  func unknownKeys() throws {
    var ignoring = CBORReader(bytes("a20100188082018100"))
    try ignoring.beginMap()
    try ignoring.require(1)
    #expect(try ignoring.unsigned() == 0)
    try ignoring.endMap()
    try ignoring.finish()
    var refusing = CBORReader(bytes("a20100187f00"))
    try refusing.beginMap()
    try refusing.require(1)
    #expect(try refusing.unsigned() == 0)
    #expect(throws: CBORError.unknownKey(127)) { try refusing.endMap() }
  }

  @Test("names the key that is missing, and bytes after the end")
  func missing() throws {
    var reader = CBORReader(bytes("a1020000"))
    try reader.beginMap()
    #expect(throws: CBORError.missingKey(1)) { try reader.require(1) }
    try reader.require(2)
    #expect(try reader.unsigned() == 0)
    try reader.endMap()
    #expect(throws: CBORError.trailingBytes(count: 1)) { try reader.finish() }
  }

  @Test("holds its ground on 20,000 mutations and 20,000 random inputs")
  func fuzz() {
    var writer = CBORWriter()
    writer.map { map in
      map.text(1, "digits")
      map.field(2) { $0.array([1, 2]) { writer, v in writer.map { $0.unsigned(1, Int64(v)) } } }
      map.byteString(300, [UInt8](repeating: 9, count: 40))
    }
    let valid = writer.bytes
    var random = SplitMix64(seed: 0xCB0)
    var accepted = 0
    for i in 0..<40_000 {
      let input =
        i % 2 == 0
        ? valid.mutated(using: &random)
        : (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var reader = CBORReader(input)
      do throws(CBORError) {
        try reader.skipItem()
        try reader.finish()
        accepted += 1
      } catch {
        #expect(reader.offset <= input.count)
      }
    }
    #expect(accepted > 0)
  }
}

/// The bytes of hexadecimal digits.
private func bytes(_ hex: String) -> [UInt8] {
  let digits = Array(hex)
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }
}
