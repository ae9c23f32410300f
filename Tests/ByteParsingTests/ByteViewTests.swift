import ByteParsing
import Glibc
import Synchronization
import TestSupport
import Testing

private final class FillCounter: Sendable { let count = Atomic<Int>(0) }

@Suite("Byte views")
struct ByteViewTests {
  private let view = ByteView([UInt8](0..<16))

  @Test("loads are little-endian and need no alignment")
  func loads() throws {
    #expect(try view.load(UInt16.self, at: 1) == 0x0201)
    #expect(try view.load(UInt32.self, at: 3) == 0x0605_0403)
    #expect(try view.load(Int64.self, at: 8) == 0x0F0E_0D0C_0B0A_0908)
    #expect(try view.byte(at: 15) == 15)
  }

  @Test(
    "what does not lie within is refused with the numbers",
    arguments: [-1, 13, 16, Int.min, Int.max])
  func outside(offset: Int) {
    #expect(throws: ParsingError.outOfBounds(offset: offset, needed: 4, count: 16)) {
      try view.load(UInt32.self, at: offset)
    }
  }

  @Test("bytes that are made when they are read are made once, and not before")
  func deferred() throws {
    let counter = FillCounter()
    let made = unsafe ByteView(count: 100_000) { bytes in
      counter.count.add(1, ordering: .relaxed)
      for index in 0..<bytes.count { unsafe bytes[index] = UInt8(index % 251) }
    }
    let view = try #require(made)
    let part = try view.slice(at: 50_000, count: 8)
    #expect(part.isAligned(to: 8) && !part.isAligned(to: 64))
    #expect(counter.count.load(ordering: .relaxed) == 0)
    #expect(part.array == (50_000..<50_008).map { UInt8($0 % 251) })
    #expect(try view.byte(at: 99_999) == UInt8(99_999 % 251))
    #expect(view.hasSameBytes(as: ByteView((0..<100_000).map { UInt8($0 % 251) })))
    #expect(counter.count.load(ordering: .relaxed) == 1)
    let tooMany = unsafe ByteView(count: .max / 2) { _ in }
    #expect(tooMany == nil)
  }

  @Test("a slice has its own bounds")
  func slices() throws {
    let part = try view.slice(at: 4, count: 4)
    #expect(part.array == [4, 5, 6, 7])
    #expect(throws: ParsingError.outOfBounds(offset: 4, needed: 1, count: 4)) {
      try part.byte(at: 4)
    }
    #expect(try view.slice(at: 16, count: 0).isEmpty)
    for (offset, count) in [(0, 17), (17, 0), (-1, 1), (1, -1), (1, Int.max), (Int.max, Int.max)] {
      #expect(throws: ParsingError.outOfBounds(offset: offset, needed: count, count: 16)) {
        try view.slice(at: offset, count: count)
      }
    }
  }

  @Test("a slice outlives the view that it was cut from")
  func lifetime() throws {
    func slice() throws -> ByteView { try ByteView([UInt8](0..<100)).slice(at: 50, count: 2) }
    #expect(try slice().array == [50, 51])
  }

  @Test("equal bytes are equal wherever they lie")
  func comparison() throws {
    #expect(try view.slice(at: 2, count: 3).hasSameBytes(as: ByteView([UInt8](2..<5))))
    #expect(!view.hasSameBytes(as: ByteView([UInt8](1..<17))))
    #expect(!view.hasSameBytes(as: ByteView([UInt8](0..<15))))
  }
}

@Suite("Mapped files")
struct MappedFileTests {
  @discardableResult
  private func withFile<R>(_ bytes: [UInt8], _ body: (String) throws -> R) throws -> R {
    let path = "/tmp/edgeserve-mapped-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    let written = unsafe bytes.withUnsafeBytes {
      unsafe write(descriptor, $0.baseAddress, $0.count)
    }
    close(descriptor)
    defer { _ = unsafe unlink(path) }
    #expect(written == bytes.count)
    return try body(path)
  }

  @Test("parts come back, at page boundaries and within", arguments: [
    (0, 10_000), (4096, 100), (4095, 2), (9_999, 1), (10_000, 0), (1, 9_999),
  ])
  func parts(offset: Int, count: Int) throws {
    let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try withFile(bytes) { path in
      let file = try MappedFile(path: path, offset: offset, count: count)
      #expect(file.bytes.array == Array(bytes[offset..<offset + count]))
    }
  }

  @Test("the mapping lives as long as a view")
  func lifetime() throws {
    let view = try withFile(Array("mapped".utf8)) { try MappedFile(path: $0, offset: 3).bytes }
    #expect(view.array == Array("ped".utf8))
  }

  @Test("a part beyond the file is refused with the numbers", arguments: [
    (0, 7), (7, 0), (-1, 1), (3, -1), (1, Int.max), (Int.max, 1),
  ])
  func outside(offset: Int, count: Int) throws {
    try withFile(Array("mapped".utf8)) { path in
      #expect(
        throws: ParsingError.partOutsideFile(offset: offset, count: count, fileSize: 6)
      ) { _ = try MappedFile(path: path, offset: offset, count: count) }
    }
  }

  @Test("what is not a file is refused")
  func notAFile() {
    #expect(throws: ParsingError.unreadableFile(errno: ENOENT)) {
      try MappedFile(path: "/nonexistent/file")
    }
    #expect(throws: ParsingError.unreadableFile(errno: EINVAL)) { try MappedFile(path: "/tmp") }
  }

  @Test("an empty file is an empty view")
  func empty() throws {
    #expect(try withFile([]) { try MappedFile(path: $0).bytes.isEmpty })
  }
}
