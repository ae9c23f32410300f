import ByteParsing
import TestSupport
import Testing

@Suite("FlexBuffers")
struct FlexBufferMapTests {
  /// A map of `bool`, `half` (a float), `less` (a negative integer) and `more`, an integer of 16 bits that stands for
  /// itself elsewhere, laid out by hand.
  private static var sample: [UInt8] {
    var bytes: [UInt8] = []
    var keys: [Int] = []
    for key in ["bool", "half", "less", "more"] {
      keys.append(bytes.count)
      bytes += Array(key.utf8) + [0]
    }
    let indirect = bytes.count
    bytes += [0x34, 0x12]
    bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    bytes += word(4)
    let keyVector = bytes.count
    for key in keys { bytes += word(bytes.count - key) }
    bytes += word(bytes.count - keyVector) + word(4) + word(4)
    let values = bytes.count
    bytes += word(1) + word(Int(Float(0.5).bitPattern)) + word(-3)
    bytes += word(bytes.count - indirect)
    // Type times four, and the logarithm of the width: bool, float, integer, indirect unsigned integer.
    bytes += [26 << 2, 3 << 2 | 2, 1 << 2, 7 << 2 | 1]
    bytes += [UInt8(bytes.count - values), 9 << 2 | 2, 1]
    return bytes
  }

  private static func word(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  @Test("scalars of a map are found by their keys")
  func scalars() throws {
    let map = try FlexBufferMap(ByteView(Self.sample))
    #expect(try map.bool("bool") == true)
    #expect(try map.real("half") == 0.5)
    #expect(try map.integer("half") == 0)
    #expect(try map.integer("less") == -3)
    #expect(try map.real("less") == -3)
    #expect(try map.integer("more") == 0x1234)
    #expect(try map.integer("mor") == nil)
    #expect(try map.integer("moreover") == nil)
  }

  @Test("what is no map is refused")
  func refusals() {
    #expect(throws: ParsingError.outOfBounds(offset: -1, needed: 1, count: 0)) {
      try FlexBufferMap(ByteView([UInt8]()))
    }
    // An integer for a root.
    #expect(throws: ParsingError.flexBufferType(offset: 1, type: 1)) {
      try FlexBufferMap(ByteView([7, 4, 1] as [UInt8]))
    }
    // A width that no number has.
    var bytes = Self.sample
    bytes[bytes.count - 1] = 3
    #expect(throws: (any Error).self) { try FlexBufferMap(ByteView(bytes)) }
    // More entries than any operator has options.
    bytes = Self.sample
    let count = bytes.count - 3 - 4 - 16 - 4
    bytes.replaceSubrange(count..<count + 4, with: Self.word(1 << 20))
    #expect(
      throws: ParsingError.tooManyElements(
        offset: count + 4, count: 1 << 20, limit: FlexBufferMap.entriesMaximum)
    ) { try FlexBufferMap(ByteView(bytes)) }
  }

  @Test("a map cut at any byte is refused or read, never beyond its end")
  func truncation() throws {
    let whole = ByteView(Self.sample)
    for count in 0..<whole.count { read(try whole.slice(at: 0, count: count)) }
  }

  @Test("20,000 seeded mutations", arguments: 0..<4 as Range<UInt64>)
  func mutations(seed: UInt64) {
    var mutation = Mutation(seed: seed)
    for _ in 0..<5_000 { read(ByteView(mutation.mutate(Self.sample))) }
  }

  /// Reads all there may be; a trap is the failure looked for.
  private func read(_ bytes: ByteView) {
    guard let map = try? FlexBufferMap(bytes) else { return }
    for key in ["bool", "half", "less", "more", ""] {
      _ = try? map.integer(key)
      _ = try? map.real(key)
      _ = try? map.bool(key)
    }
  }
}
