import Glibc

/// Reads small files.
package enum WholeFile {
  /// The bytes of the file at `path`, which may be one of the kernel's that tells no size.
  package static func read(_ path: String, maximum: Int) throws(AgentError) -> [UInt8] {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .unreadableFile(path: path, errno: errno) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      // Sound: the array outlives the call and is as long as told.
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(file, buffer.baseAddress, buffer.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .unreadableFile(path: path, errno: errno) }
      if count == 0 { return bytes }
      guard bytes.count + count <= maximum else { throw .fileTooLarge(path: path, limit: maximum) }
      bytes += chunk[..<count]
    }
  }
}
