import Glibc

/// Files of bounded size that take turns: the newest is `<path>.jsonl`, older ones are
/// `<path>.1.jsonl` and so on, and the oldest makes room.
struct RingFile: ~Copyable, Sendable {
  private let path: String
  private let bytesMaximum: Int
  private let files: Int
  private var descriptor: CInt
  private var size: Int

  /// - Precondition: there is at least one file.
  init(path: String, bytesMaximum: Int, files: Int) throws(AgentError) {
    precondition(files > 0)
    self.path = path
    self.bytesMaximum = bytesMaximum
    self.files = files
    descriptor = Self.open(path + ".jsonl")
    size = 0
    guard descriptor >= 0 else {
      throw .unreadableFile(path: path + ".jsonl", errno: errno)
    }
    size = Self.size(descriptor)
  }

  deinit { if descriptor >= 0 { _ = close(descriptor) } }

  /// Appends a line; the `errno` of the call that failed, nil when none did.
  mutating func append(_ line: [UInt8]) -> Int32? {
    if size > 0, size + line.count > bytesMaximum { turn() }
    guard descriptor >= 0 else { return errno }
    // Sound: the pointer and count are of the same array.
    let count = unsafe write(descriptor, line, line.count)
    guard count == line.count else { return errno }
    size += count
    return nil
  }

  private mutating func turn() {
    _ = close(descriptor)
    for index in stride(from: files - 1, to: 0, by: -1) {
      _ = unsafe rename(name(index - 1), name(index))
    }
    if files == 1 { _ = unsafe unlink(name(0)) }
    descriptor = Self.open(name(0))
    size = descriptor >= 0 ? Self.size(descriptor) : 0
  }

  private func name(_ index: Int) -> String {
    index == 0 ? path + ".jsonl" : "\(path).\(index).jsonl"
  }

  private static func open(_ path: String) -> CInt {
    unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
  }

  private static func size(_ descriptor: CInt) -> Int {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }
}
