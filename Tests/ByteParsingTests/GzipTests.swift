import ByteParsing
import TestSupport
import Testing

@Suite("Gzip")
struct GzipTests {
  /// Files of zlib's: a stored block, one of the fixed codes, one of codes of its own.
  static let files: [(name: String, data: String, file: [UInt8])] = [
    ("stored", "stored", bytes("1f8b08000000000000ff010600f9ff73746f7265640bf9435606000000")),
    (
      "fixed", "fixed fixed fixed",
      bytes("1f8b08000000000000ff4bcbac484d514843900081e6898811000000")
    ),
    (
      "dynamic", (0..<40).map { "\($0) \($0 * $0);" }.joined(),
      bytes(
        "1f8b08000000000000ff158fc90d003108035b71095c2141f4dfd7cebe220b1f1393adcb37549b9a2d79ef519c6d"
          + "65ef55cd3e75ede8f9bac98d00894085bc6a3dc9cc3ad1e975c2a4bde9405dc5e3f6948173e864cb54b484ab0a"
          + "c5f4ab8dd489d9289ddb1b474d4bb4fa5757f7bf3ddddf090ab9340d2de91a3a13166322813116131a07200fa8"
          + "3465f38297579ed0e6fbd9f18ffcf0970fb56b8cf908010000")
    ),
  ]

  static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  @Test("every kind of block is decompressed", arguments: 0..<3)
  func blocks(index: Int) throws {
    let (_, data, file) = Self.files[index]
    #expect(try Gzip.claimedCount(file) == data.utf8.count)
    #expect(try Gzip.decompress(file, maximum: 1000) == Array(data.utf8))
  }

  @Test("names, comments and extra fields are passed over")
  func header() throws {
    var file = Self.files[1].file
    file[3] = 4 | 8 | 16
    file.insert(contentsOf: [3, 0, 1, 2, 3] + Array("name\u{0}comment\u{0}".utf8), at: 10)
    #expect(try Gzip.decompress(file, maximum: 100) == Array(Self.files[1].data.utf8))
    file[3] = 0xE0
    #expect(throws: GzipError.malformed(reason: "unknown header flags set")) {
      try Gzip.decompress(file, maximum: 100)
    }
  }

  @Test("many stored blocks, and no data at all")
  func sizes() throws {
    let data = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(try Gzip.decompress(Gzipped.stored(data), maximum: data.count) == data)
    #expect(try Gzip.decompress(Gzipped.stored([]), maximum: 0) == [])
  }

  @Test("what is longer than allowed, or than it claims, is refused without room for it")
  func tooLarge() throws {
    var file = Self.files[2].file
    #expect(throws: GzipError.tooLarge(limit: 10)) { try Gzip.decompress(file, maximum: 10) }
    file[file.count - 4] = 9
    file[file.count - 3] = 0
    #expect(throws: GzipError.tooLarge(limit: 9)) { try Gzip.decompress(file, maximum: 1000) }
    file[file.count - 2] = 1
    #expect(throws: GzipError.malformed(reason: "incorrect length check")) {
      try Gzip.decompress(file, maximum: 1 << 20)
    }
  }

  @Test("every cut, a wrong sum and bytes behind the end are refused", arguments: 0..<3)
  func damage(index: Int) {
    let file = Self.files[index].file
    for count in 0..<file.count {
      #expect(throws: GzipError.self) { try Gzip.decompress(Array(file[..<count]), maximum: 1000) }
    }
    var wrong = file
    wrong[file.count - 8] ^= 1
    #expect(throws: GzipError.malformed(reason: "incorrect data check")) {
      try Gzip.decompress(wrong, maximum: 1000)
    }
    wrong = file
    wrong.insert(0, at: file.count - 8)
    #expect(throws: GzipError.self) { try Gzip.decompress(wrong, maximum: 1000) }
  }

  @Test("20,000 broken files are refused, or hold what they say", arguments: 1...4)
  func mutations(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<5_000 {
      let (_, data, file) = Self.files.randomElement(using: &random)!
      let broken = file.mutated(using: &random)
      guard let found = try? Gzip.decompress(broken, maximum: 4096) else { continue }
      // Only the header may change unseen.
      #expect(found == Array(data.utf8))
    }
  }
}
