import TestSupport
import Testing

/// The mutations that every parser is put under must reach faults of the kinds that parsers have: these are planted.
@Suite("Canaries of mutations")
struct MutationCanaryTests {
  /// Where a careless reader of `magic, count, count × (length, bytes…), sum` goes wrong.
  enum Fault: CaseIterable {
    /// A length reaches beyond the end.
    case overrun
    /// There are fewer entries than the count says.
    case missingEntry
    /// An entry of no bytes, whose first byte is read.
    case emptyEntry
    /// A length with its highest bit set, taken for a negative number.
    case negativeLength
    /// Every length fits, and bytes are left over that nobody looks at.
    case trailingBytes
  }

  private static let magic = Array("esrv".utf8)

  private static let whole: [UInt8] =
    magic + [3, 4, 10, 11, 12, 13, 2, 20, 21, 7, 30, 31, 32, 33, 34, 35, 36]

  private func faults(_ bytes: [UInt8]) -> Set<Fault> {
    guard bytes.starts(with: Self.magic), bytes.count > Self.magic.count else { return [] }
    var found: Set<Fault> = []
    var place = Self.magic.count + 1
    for _ in 0..<bytes[Self.magic.count] {
      guard place < bytes.count else { return found.union([.missingEntry]) }
      let length = Int(bytes[place])
      if length == 0 { found.insert(.emptyEntry) }
      if length >= 0x80 { found.insert(.negativeLength) }
      place += 1 + length
      if place > bytes.count { return found.union([.overrun]) }
    }
    if place < bytes.count { found.insert(.trailingBytes) }
    return found
  }

  @Test("the whole document has no fault, and mutations find every planted one", arguments: 0..<8)
  func findsPlantedFaults(seed: Int) {
    #expect(faults(Self.whole).isEmpty)
    var random = SplitMix64(seed: UInt64(seed))
    var found: Set<Fault> = []
    // As many as each parser is put under.
    for _ in 0..<20_000 { found.formUnion(faults(Self.whole.mutated(using: &random))) }
    #expect(found == Set(Fault.allCases))
  }
}
