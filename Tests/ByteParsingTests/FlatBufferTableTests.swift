import ByteParsing
import TestSupport
import Testing

@Suite("FlatBuffer tables")
struct FlatBufferTableTests {
  private func open(_ root: [FlatBufferField]) throws -> FlatBufferTable {
    let bytes = FlatBufferWriter.file(identifier: "TEST", root: root)
    return try FlatBufferTable(root: ByteView(bytes), identifier: "TEST")
  }

  @Test("every kind of field comes back")
  func fields() throws {
    let table = try open([
      .int8(-3), .absent, .uint64(1 << 60), .float(2.5), .string("grüße"), .int32s([1, -2]),
      .int64s([-1, 7]), .floats([0.5]), .table([.int32(9)]), .tables([[.int8(1)], [.int8(2)]]),
    ])
    #expect(try table.integer(0, default: Int8(0)) == -3)
    #expect(try table.integer(2, default: UInt64(0)) == 1 << 60)
    #expect(try table.float(3, default: 0) == 2.5)
    #expect(try table.string(4) == "grüße")
    #expect(try table.integers(5, as: Int32.self) == [1, -2])
    #expect(try table.integers(6, as: Int64.self) == [-1, 7])
    #expect(try table.floats(7) == [0.5])
    #expect(try table.table(8)?.integer(0, default: Int32(0)) == 9)
    let tables = try table.tables(9, limit: 2)
    #expect(try tables.map { try $0.integer(0, default: Int8(0)) } == [1, 2])
  }

  @Test("a field that is left out, or that the vtable does not reach, is its default")
  func defaults() throws {
    let table = try open([.absent, .int32(1)])
    for field in [0, 2, 100] {
      #expect(try table.integer(field, default: Int32(42)) == 42)
      #expect(try table.string(field) == nil)
      #expect(try table.integers(field, as: Int32.self) == nil)
      #expect(try table.table(field) == nil)
      #expect(try table.tables(field, limit: 1).isEmpty)
    }
  }

  @Test("another identifier is refused")
  func identifier() {
    let bytes = FlatBufferWriter.file(identifier: "ELSE", root: [])
    #expect(throws: ParsingError.wrongIdentifier) {
      try FlatBufferTable(root: ByteView(bytes), identifier: "TEST")
    }
  }

  @Test("an offset out of the buffer is refused", arguments: [1 << 20, UInt32.max, 0x7FFF_FFFF])
  func badOffset(offset: UInt32) throws {
    let table = try open([.rawOffset(offset)])
    #expect(throws: ParsingError.self) { try table.table(0) }
    #expect(throws: ParsingError.self) { try table.string(0) }
    #expect(throws: ParsingError.self) { try table.integers(0, as: Int64.self) }
    #expect(throws: ParsingError.self) { try table.tables(0, limit: .max) }
  }

  @Test("a vector longer than its limit is refused with the numbers")
  func limit() throws {
    let table = try open([.int32s([1, 2, 3])])
    #expect(
      throws: ParsingError.tooManyElements(offset: table.offset, count: 3, limit: 2)
    ) { try table.integers(0, as: Int32.self, limit: 2) }
  }

  @Test("a string that is not UTF-8 is refused")
  func invalidString() throws {
    let table = try open([.bytes([0xC3, 0x28])])
    #expect(throws: ParsingError.invalidString(offset: table.offset)) { try table.string(0) }
  }

  @Test("reading the same vector without end is stopped")
  func allowance() throws {
    let table = try open([.int32s(Array(repeating: 7, count: 50_000))])
    var reads = 0
    #expect(throws: ParsingError.allowanceSpent(offset: table.offset)) {
      while reads < 1_000 {
        _ = try table.integers(0, as: Int32.self)
        reads += 1
      }
    }
    #expect(reads >= 4)
  }
}
