import Glibc
import JSONDocuments
import Logging

/// The versions that administrators pinned, kept over restarts: `{"digits": 1}`.
struct PinFile: Sendable {
  let path: String
  let log: Logger

  /// The pins of the file; none when there is no file, or none that can be read.
  func read() -> [String: Int64] {
    guard unsafe access(path, F_OK) == 0 else { return [:] }
    guard let bytes = try? WholeFile.read(path, maximum: AgentLimits.pinFileBytesMaximum),
      let pins = try? JSONDocument.decode([String: Int64].self, from: bytes)
    else {
      log.error("pinned versions cannot be read", metadata: ["path": "\(path)"])
      return [:]
    }
    return pins
  }

  /// Puts `pins` in place of the file's, which a power cut leaves whole.
  func write(_ pins: [String: Int64]) {
    guard (try? Directories.make(Directories.parent(of: path))) != nil,
      let bytes = try? JSONDocument.encode(pins), replace(bytes)
    else {
      log.error(
        "pinned versions cannot be kept over a restart",
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
