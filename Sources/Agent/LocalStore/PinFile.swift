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

  /// Puts `pins` in place of the file's, which a power cut leaves whole; durable on return.
  ///
  /// - Returns: why they are not kept over a restart; nil when they are.
  func write(_ pins: [String: Int64]) -> RepositoryRefusal? {
    guard let bytes = try? JSONDocument.encode(pins) else {
      preconditionFailure("names and numbers can be encoded")
    }
    // Where it is missing and cannot be made, the file cannot be either.
    try? Directories.make(Directories.parent(of: path))
    guard let failure = replace(bytes) else { return nil }
    log.error(
      "pinned versions cannot be kept over a restart",
      metadata: ["path": "\(path)", "errno": "\(failure)"])
    return .pinsNotKept(path: path, errno: failure)
  }

  /// The error number of the call that failed; nil when none did.
  private func replace(_ bytes: [UInt8]) -> Int32? {
    let fresh = path + ".new"
    let file = unsafe open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return errno }
    defer { close(file) }
    // Sound: the pointer and count are of the same array.
    let count = unsafe Glibc.write(file, bytes, bytes.count)
    guard count == bytes.count else { return count < 0 ? errno : ENOSPC }
    guard fsync(file) == 0, unsafe rename(fresh, path) == 0 else { return errno }
    return nil
  }
}
