import Glibc

/// A fresh private directory, removed with all it holds at `remove()`.
struct DemoDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/edgeserve-demo-XXXXXX".utf8CString)
    // Sound: the array ends in NUL, and the call writes only its six X.
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe mkdtemp(buffer.baseAddress!).map { unsafe String(cString: $0) }
    }
    guard let made else {
      throw CommandFailure(.failure, "no temporary directory can be made in /tmp (errno \(errno))")
    }
    path = made
  }

  /// The path of a file of this directory.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  func remove() { Self.remove(path) }

  private static func remove(_ path: String) {
    guard let directory = unsafe opendir(path) else {
      unsafe unlink(path)
      return
    }
    while let entry = unsafe readdir(directory) {
      // Sound: the name is a NUL-terminated array inside the entry, which lives until the next read.
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      // Never through a symbolic link: what it points at is not ours.
      if name != "." && name != ".." {
        if unsafe unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
      }
    }
    unsafe closedir(directory)
    unsafe rmdir(path)
  }
}
