import Glibc

/// Whether anything is at `path`.
func fileExists(_ path: String) -> Bool {
  unsafe access(path, F_OK) == 0
}

/// Makes the directory at `path` for its owner alone, unless one is there.
func makeDirectory(_ path: String) throws(PublishingError) {
  guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
    throw .file(path: path, errno: errno)
  }
}

/// Writes a file that must not exist, and waits until it is on the disk.
package func writeNewFile(_ path: String, _ bytes: [UInt8]) throws(PublishingError) {
  let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else {
    if errno == EEXIST { throw .fileExists(path: path) }
    throw .file(path: path, errno: errno)
  }
  defer { close(descriptor) }
  try write(bytes, to: descriptor, path)
  guard fsync(descriptor) == 0 else { throw .file(path: path, errno: errno) }
}

/// Writes a file in place of the one that may be at `path`: beside it first, then renamed.
package func replaceFile(_ path: String, _ bytes: [UInt8]) throws(PublishingError) {
  let temporary = "\(path).\(getpid()).tmp"
  try writeNewFile(temporary, bytes)
  guard unsafe rename(temporary, path) == 0 else {
    let failure = errno
    _ = unsafe unlink(temporary)
    throw .file(path: path, errno: failure)
  }
}

/// The bytes of a file of at most `limit` bytes.
package func readFile(_ path: String, limit: Int = PublishingLimits.fileBytes)
  throws(PublishingError) -> [UInt8]
{
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .file(path: path, errno: errno) }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65536)
  while true {
    // The library writes at most the buffer's own count.
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    if count == 0 { return bytes }
    guard count > 0 else {
      if errno == EINTR { continue }
      throw .file(path: path, errno: errno)
    }
    guard bytes.count + count <= limit else { throw .file(path: path, errno: EFBIG) }
    bytes += buffer[..<count]
  }
}

/// Writes all of `bytes`; not durable on return.
func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String)
  throws(PublishingError)
{
  var rest = bytes[...]
  while !rest.isEmpty {
    // The library reads at most the slice's own count.
    let count = unsafe rest.withUnsafeBytes {
      unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
    }
    guard count > 0 else {
      if errno == EINTR { continue }
      throw .file(path: path, errno: errno)
    }
    rest = rest.dropFirst(count)
  }
}
