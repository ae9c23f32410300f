import Glibc
import Logging

/// A small file of the state directory that a power cut leaves whole.
struct DurableFile: Sendable {
  let path: String
  let log: Logger

  /// What `decode` makes of the file; nil when there is none, or none that can be read.
  ///
  /// - Parameter content: what it holds, for the log.
  func read<Value>(_ content: String, _ decode: ([UInt8]) throws -> Value) -> Value? {
    guard unsafe access(path, F_OK) == 0 else { return nil }
    do {
      return try decode(try WholeFile.read(path, maximum: AgentLimits.pinFileBytesMaximum))
    } catch {
      log.error("\(content) cannot be read", metadata: ["path": "\(path)"])
      return nil
    }
  }

  /// Puts `bytes` in place of the file's.
  func write(_ content: String, _ bytes: [UInt8]?) {
    guard (try? Directories.make(Directories.parent(of: path))) != nil, let bytes, replace(bytes)
    else {
      log.error(
        "\(content) cannot be kept over a restart",
        metadata: ["path": "\(path)", "errno": "\(errno)"])
      return
    }
  }

  private func replace(_ bytes: [UInt8]) -> Bool {
    let fresh = path + ".new"
    let file = unsafe open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return false }
    // Sound: the pointer and count are of the same array.
    let isWritten = unsafe Glibc.write(file, bytes, bytes.count) == bytes.count
    let isDurable = isWritten && fsync(file) == 0
    close(file)
    guard isDurable else { return false }
    return unsafe rename(fresh, path) == 0
  }
}
