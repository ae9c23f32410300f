import Glibc

/// Small whole files.
enum DemoFiles {
  /// The bytes of a file of at most 16 MiB.
  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("read", path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65536)
    while bytes.count <= 16 << 20 {
      // Sound: the pointer and the count are those of `block`.
      let count = unsafe Glibc.read(descriptor, &block, block.count)
      guard count >= 0 else { throw failure("read", path) }
      guard count > 0 else { return bytes }
      bytes += block[..<count]
    }
    throw CommandFailure(.badInput, "\(path) is larger than 16 MiB")
  }

  /// Makes or replaces a file.
  static func write(_ path: String, _ text: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("write", path) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    // Sound: the pointer and the count are of the same array.
    guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw failure("write", path)
    }
  }

  private static func failure(_ verb: String, _ path: String) -> CommandFailure {
    CommandFailure(.badInput, "cannot \(verb) \(path) (errno \(errno))")
  }
}
