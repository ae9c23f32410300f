import ByteParsing
import Glibc
import TestSupport
import Testing

@Suite("Mapped files that change")
struct ChangedFileTests {
  private let directory = TemporaryDirectory("mapped")

  private func file(_ byteCount: Int) -> String {
    directory.write("file", String(repeating: "a", count: byteCount))
    return directory.path + "/file"
  }

  @Test("a file that is cut reads as zeros, and says so")
  func cut() throws {
    let path = file(20_000)
    let mapped = try MappedFile(path: path)
    #expect(mapped.isIntact)
    #expect(unsafe truncate(path, 0) == 0)
    let bytes = mapped.bytes.array
    #expect(bytes == [UInt8](repeating: 0, count: 20_000))
    #expect(!mapped.isIntact)
  }

  @Test("a part of a cut file at an odd offset reads without harm")
  func cutPart() throws {
    let path = file(50_000)
    let mapped = try MappedFile(path: path, offset: 4097, count: 40_000)
    #expect(unsafe truncate(path, 10_000) == 0)
    #expect(mapped.bytes.array.count == 40_000)
    #expect(!mapped.isIntact)
  }

  @Test("a file that is written to in place is no longer intact")
  func rewritten() throws {
    let path = file(100)
    let mapped = try MappedFile(path: path)
    usleep(20_000)
    let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
    #expect(unsafe pwrite(descriptor, "b", 1, 50) == 1)
    close(descriptor)
    #expect(!mapped.isIntact)
  }

  @Test("a file that is replaced by rename stays as it was mapped")
  func replaced() throws {
    let path = file(100)
    let mapped = try MappedFile(path: path)
    directory.write("other", "b")
    #expect(unsafe rename(directory.path + "/other", path) == 0)
    #expect(mapped.bytes.array == [UInt8](repeating: UInt8(ascii: "a"), count: 100))
    #expect(mapped.isIntact)
  }

  @Test("watches end with their mappings")
  func manyMappings() throws {
    let path = file(10)
    for _ in 0..<3000 { #expect(try MappedFile(path: path).isIntact) }
  }
}
