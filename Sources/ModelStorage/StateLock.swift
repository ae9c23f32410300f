import Glibc

/// Keeps a state directory to one process: an advisory lock on the directory itself, which the
/// kernel gives back when the process ends, however it ends.
package final class StateLock: @unchecked Sendable {
  /// Another process has the directory.
  package struct Holder: Error, Equatable, Sendable {
    /// Nil when the kernel does not tell.
    package var process: Int32?
    /// The name of its program; nil when the kernel does not tell.
    package var program: String?
  }

  // Unchecked because it is closed once, by `release`, which one owner calls.
  private var descriptor: Int32

  private init(descriptor: Int32) { self.descriptor = descriptor }

  /// Takes the directory at `path`, which is made with mode 0700 when it is missing.
  ///
  /// - Throws: `Holder` when another process has it, `StorageError` when it cannot be opened.
  package static func take(_ path: String) throws -> StateLock {
    if unsafe mkdir(path, 0o700) != 0 && errno != EEXIST {
      throw StorageError.system(call: .createDirectory, errno: errno)
    }
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageError.system(call: .open, errno: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      let holder = holder(of: descriptor)
      close(descriptor)
      guard code == EWOULDBLOCK else { throw StorageError.system(call: .lock, errno: code) }
      throw holder
    }
    return StateLock(descriptor: descriptor)
  }

  /// Gives the directory back; further calls change nothing.
  package func release() {
    guard descriptor >= 0 else { return }
    // Closing alone leaves the lock with a child that has not yet become another program.
    flock(descriptor, LOCK_UN)
    close(descriptor)
    descriptor = -1
  }

  deinit { release() }

  /// Who the kernel says has locked the file of `descriptor`.
  private static func holder(of descriptor: Int32) -> Holder {
    var status = stat()
    // Sound: the pointer is to a local variable of the type that the call fills.
    guard unsafe fstat(descriptor, &status) == 0,
      let process = process(inLocks: text("/proc/locks"), inode: UInt64(status.st_ino))
    else { return Holder() }
    let name = text("/proc/\(process)/comm").prefix { $0 != "\n" }
    return Holder(process: process, program: name.isEmpty ? nil : String(name))
  }

  /// The process of the lock on `inode` in the lines of `/proc/locks`, such as
  /// `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`.
  static func process(inLocks lines: String, inode: UInt64) -> Int32? {
    for line in lines.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count >= 6, fields[1] == "FLOCK", fields[3] == "WRITE",
        fields[5].split(separator: ":").last == Substring(String(inode)),
        let process = Int32(fields[4]), process > 0
      else { continue }
      return process
    }
    return nil
  }

  /// Up to 64 KiB of a file of the kernel's; empty when it cannot be read.
  private static func text(_ path: String) -> String {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 64 * 1024)
    var count = 0
    while count < bytes.count {
      // Sound: the array outlives the call, which writes at most what is left of it.
      let got = unsafe bytes.withUnsafeMutableBytes {
        unsafe read(file, $0.baseAddress! + count, $0.count - count)
      }
      if got <= 0 { break }
      count += got
    }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
