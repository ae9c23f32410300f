import Glibc
import TestSupport
import Testing

@testable import ModelStorage

@Suite("State lock")
struct StateLockTests {
  @Test("one at a time has a directory, and the other is told who")
  func exclusive() throws {
    let directory = TemporaryDirectory("lock")
    let path = directory.path + "/state"
    let first = try StateLock.take(path)
    let refusal = #expect(throws: StateLock.Holder.self) { _ = try StateLock.take(path) }
    // A kernel that hides its locks from a container tells nothing, and never another process.
    #expect(refusal?.process == nil || refusal?.process == getpid())
    first.release()
    let second = try StateLock.take(path)
    second.release()
    second.release()
  }

  @Test("a lock goes with its owner")
  func owner() throws {
    let directory = TemporaryDirectory("lock")
    do { _ = try StateLock.take(directory.path) }
    try StateLock.take(directory.path).release()
  }

  @Test("a directory that cannot be is an error of its own")
  func missing() {
    #expect(throws: StorageError.system(call: .createDirectory, errno: ENOENT)) {
      _ = try StateLock.take("/nonexistent/state")
    }
  }

  @Test("the kernel's list is read as it is written")
  func list() {
    let lines = """
      1: POSIX  ADVISORY  WRITE 10 08:01:77 0 EOF
      2: FLOCK  ADVISORY  READ  11 08:01:77 0 EOF
      3: FLOCK  ADVISORY  WRITE 12 08:01:78 0 EOF
      3: -> FLOCK  ADVISORY  WRITE 13 08:01:77 0 EOF
      4: FLOCK  ADVISORY  WRITE 0 08:01:77 0 EOF
      5: FLOCK  ADVISORY  WRITE 14 00:2a:77 0 EOF

      """
    #expect(StateLock.process(inLocks: lines, inode: 77) == 14)
    #expect(StateLock.process(inLocks: lines, inode: 78) == 12)
    #expect(StateLock.process(inLocks: lines, inode: 7) == nil)
    #expect(StateLock.process(inLocks: "broken\n1: FLOCK", inode: 77) == nil)
  }
}
