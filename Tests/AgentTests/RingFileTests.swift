import Glibc
import TestSupport
import Testing

@testable import Agent

@Suite("Ring of files")
struct RingFileTests {
  private static func lines(_ path: String) -> [String] {
    guard let bytes = try? readFile(path) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private static func append(_ numbers: ClosedRange<Int>, _ ring: inout RingFile) {
    for number in numbers { #expect(ring.append(Array("line \(number)\n".utf8)) == nil) }
  }

  @Test("keeps the newest lines in so many files of so many bytes, over restarts too")
  func ring() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/requests"
    do {
      var ring = try RingFile(path: path, bytesMaximum: 21, files: 3)
      Self.append(1...4, &ring)
    }
    // Three lines of seven bytes fill a file.
    #expect(Self.lines(path + ".jsonl") == ["line 4"])
    #expect(Self.lines(path + ".1.jsonl") == ["line 1", "line 2", "line 3"])
    var ring = try RingFile(path: path, bytesMaximum: 21, files: 3)
    Self.append(5...9, &ring)
    Self.append(0...2, &ring)
    #expect(Self.lines(path + ".jsonl") == ["line 0", "line 1", "line 2"])
    #expect(Self.lines(path + ".1.jsonl") == ["line 7", "line 8", "line 9"])
    #expect(Self.lines(path + ".2.jsonl") == ["line 4", "line 5", "line 6"])
    #expect(unsafe access(path + ".3.jsonl", F_OK) != 0)
    var file = stat()
    #expect(unsafe stat(path + ".jsonl", &file) == 0)
    #expect(file.st_mode & 0o777 == 0o600)
  }

  @Test("one file begins anew when it is full")
  func single() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/requests"
    var ring = try RingFile(path: path, bytesMaximum: 14, files: 1)
    Self.append(1...5, &ring)
    #expect(Self.lines(path + ".jsonl") == ["line 5"])
    #expect(unsafe access(path + ".1.jsonl", F_OK) != 0)
  }

  @Test("says when it cannot be opened")
  func unreadable() {
    #expect(throws: AgentError.self) {
      _ = try RingFile(path: "/proc/nowhere/requests", bytesMaximum: 4096, files: 1)
    }
  }
}
