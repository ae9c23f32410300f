import ByteParsing
import TestSupport
import Testing

@Suite("Protocol Buffers")
struct ProtobufTests {
  /// One field of each kind, and a message within a message.
  static let sample: [UInt8] = {
    var writer = ProtobufWriter()
    writer.integer(1, 150)
    writer.int64(2, -1)
    writer.text(3, "testing")
    writer.message(4) { $0.message(1) { $0.bool(2, true) } }
    writer.packed(5, [3, 270, 86942])
    writer.bytes(6, [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
    writer.double(7, 0.5)
    writer.float(8, 1)
    return writer.bytes
  }()

  @Test("writes the bytes that the format's own examples show")
  func examples() {
    var writer = ProtobufWriter()
    writer.integer(1, 150)
    #expect(writer.bytes == [0x08, 0x96, 0x01])
    writer = ProtobufWriter()
    writer.text(2, "testing")
    #expect(writer.bytes == [0x12, 0x07] + Array("testing".utf8))
    writer = ProtobufWriter(prefix: 2)
    writer.message(3) { $0.integer(1, 150) }
    #expect(writer.bytes == [0, 0, 0x1A, 0x03, 0x08, 0x96, 0x01])
    writer = ProtobufWriter()
    writer.packed(6, [3, 270, 86942])
    #expect(writer.bytes == [0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
    writer = ProtobufWriter()
    writer.int64(1, -2)
    #expect(writer.bytes == [0x08, 0xFE] + [UInt8](repeating: 0xFF, count: 8) + [0x01])
  }

  @Test("leaves out what the third edition leaves out")
  func defaults() {
    var writer = ProtobufWriter()
    writer.integer(1, 0)
    writer.text(2, "")
    writer.bool(3, false)
    writer.packed(4, [])
    writer.float(5, 0)
    writer.double(6, 0)
    #expect(writer.bytes.isEmpty)
    writer.double(6, -0.0)
    writer.element(7, "")
    writer.message(8) { _ in }
    #expect(writer.bytes.count == 9 + 2 + 2)
  }

  @Test("reads back what was written")
  func roundTrip() throws {
    var reader = ProtobufReader(Self.sample)
    var numbers: [Int] = []
    while let field = try reader.next() {
      numbers.append(field.number)
      switch field.number {
      case 1: #expect(try reader.integer(field) == 150)
      case 2: #expect(try reader.int64(field) == -1)
      case 3: #expect(try reader.text(field) == "testing")
      case 4:
        var outer = try reader.message(field)
        var inner = try outer.message(try #require(try outer.next()))
        #expect(try inner.bool(try #require(try inner.next())))
        #expect(try inner.next() == nil)
      case 5:
        var values: [UInt64] = []
        try reader.integers(field) { values.append($0) }
        #expect(values == [3, 270, 86942])
      case 6: #expect(try reader.fixed32Elements(field) == [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
      case 7: #expect(try reader.double(field) == 0.5)
      default: #expect(try reader.fixed32Elements(field) == [0, 0, 0x80, 0x3F])
      }
    }
    #expect(numbers == Array(1...8))
  }

  @Test(
    "refuses what is malformed, and says where",
    arguments: [
      ([0x08], ProtobufError.truncated(offset: 1)),
      ([0x08, 0x96], .truncated(offset: 1)),
      ([0x00, 0x01], .invalidKey(offset: 0)),
      ([0x0B], .invalidKey(offset: 0)),
      ([0x12, 0x05, 0x61], .truncated(offset: 1)),
      ([0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], .truncated(offset: 1)),
      ([0x0D, 0, 0, 0], .truncated(offset: 1)),
      ([0x08] + [UInt8](repeating: 0x80, count: 9) + [0x02], .integerTooLong(offset: 1)),
      ([0x80, 0x80, 0x80, 0x80, 0x10, 0x00], .invalidKey(offset: 0)),
    ])
  func malformed(bytes: [UInt8], expected: ProtobufError) {
    #expect(throws: expected) { try Self.walk(ProtobufReader(bytes), depth: 0) }
  }

  @Test("refuses values of another kind, text that is none, and packed numbers that are cut")
  func wrongValues() throws {
    var reader = ProtobufReader([0x08, 0x01])
    var field = try #require(try reader.next())
    #expect(
      throws: ProtobufError.wrongWireType(field: 1, expected: .delimited, actual: .varint)
    ) { try reader.text(field) }
    reader = ProtobufReader([0x0A, 0x01, 0xFF])
    field = try #require(try reader.next())
    #expect(throws: ProtobufError.invalidText(field: 1)) { try reader.text(field) }
    reader = ProtobufReader([0x0A, 0x03, 1, 2, 3])
    field = try #require(try reader.next())
    #expect(throws: ProtobufError.truncated(offset: 1)) { try reader.fixed32Elements(field) }
  }

  @Test("20,000 broken messages are read or refused", arguments: 1...4)
  func mutations(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var refused = 0
    for _ in 0..<5_000 {
      do throws(ProtobufError) {
        try Self.walk(ProtobufReader(Self.sample.mutated(using: &random)), depth: 0)
      } catch {
        refused += 1
      }
    }
    // Most damage breaks a length or an end; some only changes values.
    #expect((500..<5_000).contains(refused))
  }

  /// Reads every field in every way that its kind allows.
  private static func walk(_ start: ProtobufReader, depth: Int) throws(ProtobufError) {
    var reader = start
    while let field = try reader.next() {
      var copy = reader
      switch field.wireType {
      case .varint: _ = try copy.integer(field)
      case .fixed64: _ = try copy.double(field)
      case .fixed32: _ = try copy.fixed32Elements(field)
      case .delimited:
        let bytes = try copy.bytes(field)
        precondition(bytes.count <= reader.remainingCount)
        for attempt in 0..<4 {
          var other = reader
          do throws(ProtobufError) {
            switch attempt {
            case 0: _ = try other.text(field)
            case 1: _ = try other.fixed64Elements(field)
            case 2: try other.integers(field) { _ in }
            default: if depth < 8 { try walk(try other.message(field), depth: depth + 1) }
            }
          } catch {}
        }
      }
      try reader.skip(field)
    }
  }
}
