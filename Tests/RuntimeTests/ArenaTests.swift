import Testing

@testable import Runtime

@Suite("Arena")
struct ArenaTests {
  @Test("has exactly the bytes asked for, zeroed and aligned", arguments: [1, 64, 4096, 100_001])
  func isExact(byteCount: Int) throws {
    let arena = try Arena(byteCount: byteCount)
    #expect(arena.byteCount == byteCount)
    #expect(unsafe UInt(bitPattern: arena.start) % 4096 == 0)
    let bytes = unsafe UnsafeRawBufferPointer(start: arena.start, count: byteCount)
    #expect(unsafe bytes.allSatisfy { $0 == 0 })
  }

  @Test("an arena of no bytes takes none")
  func emptyIsEmpty() throws {
    #expect(try Arena(byteCount: 0).byteCount == 0)
  }

  @Test("more than the system has is refused with the number")
  func tooMuchIsRefused() {
    #expect(throws: RuntimeError.outOfMemory(byteCount: 1 << 60)) {
      _ = try Arena(byteCount: 1 << 60)
    }
  }
}
