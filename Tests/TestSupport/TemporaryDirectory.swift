import Glibc

/// A fresh directory of one test, removed with all it holds at `deinit`.
package final class TemporaryDirectory: Sendable {
  package let path: String

  package init(_ prefix: String = "edgeserve") {
    var template = Array("/tmp/\(prefix)-XXXXXX".utf8CString)
    // Sound: the array ends in NUL, and the call writes only its six X.
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe mkdtemp(buffer.baseAddress!).map { unsafe String(cString: $0) }
    }
    guard let made else { fatalError("no temporary directory: errno \(errno)") }
    path = made
  }

  deinit { Self.remove(path) }

  /// Writes a file of this directory.
  package func write(_ name: String, _ text: String) {
    let descriptor = unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    precondition(descriptor >= 0)
    let bytes = Array(text.utf8)
    // Sound: the pointer and count are of the same array.
    let count = unsafe Glibc.write(descriptor, bytes, bytes.count)
    precondition(count == bytes.count)
    close(descriptor)
  }

  private static func remove(_ path: String) {
    if let directory = unsafe opendir(path) {
      while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
          unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        if name != "." && name != ".." { remove("\(path)/\(name)") }
      }
      unsafe closedir(directory)
      unsafe rmdir(path)
    } else {
      unsafe unlink(path)
    }
  }
}
