import Agent
import CKernelFacts
import Glibc

/// What the system says of itself.
struct SystemFacts {
  /// Bytes that are read of one of the kernel's files.
  private static let kernelFileBytesMaximum = 64 * 1024

  /// Where `/proc` is looked for.
  var root = ""

  /// Bytes of memory that the device has; nil when it does not tell.
  var memoryBytes: Int? {
    guard
      let bytes = try? WholeFile.read(root + "/proc/meminfo", maximum: Self.kernelFileBytesMaximum)
    else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("MemTotal:") {
      return Int(line.filter { $0.isASCII && $0.isNumber }).map { $0 * 1024 }
    }
    return nil
  }

  /// Bytes that a process had written to storage; nil when that may not be seen.
  func writtenBytes(of process: Int) -> Int? {
    guard
      let bytes = try? WholeFile.read(
        root + "/proc/\(process)/io", maximum: Self.kernelFileBytesMaximum)
    else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("write_bytes: ") {
      return Int(line.dropFirst("write_bytes: ".count))
    }
    return nil
  }

  /// The least of the limits of this process's control groups; nil when there is none.
  var memoryLimitBytes: Int? {
    guard
      let bytes = try? WholeFile.read("/proc/self/cgroup", maximum: Self.kernelFileBytesMaximum)
    else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("0::/") }) else { return nil }
    var path = String(line.dropFirst(3))
    var least: Int?
    while true {
      let file = "/sys/fs/cgroup" + path + (path.hasSuffix("/") ? "" : "/") + "memory.max"
      if let text = try? WholeFile.read(file, maximum: Self.kernelFileBytesMaximum),
        let limit = Int(String(decoding: text, as: UTF8.self).filter { $0.isNumber })
      {
        least = min(limit, least ?? .max)
      }
      guard path != "/", path != "." else { return least }
      path = Directories.parent(of: path)
    }
  }

  /// The directory itself, or the nearest one above it that is there.
  func nearestDirectory(_ path: String) -> String? {
    var path = path
    while unsafe access(path, F_OK) != 0 {
      guard path != "/", path != "." else { return nil }
      path = Directories.parent(of: path)
    }
    return path
  }

  func isWritable(_ path: String) -> Bool { unsafe access(path, W_OK | X_OK) == 0 }

  /// Bytes free to this process on the file system of `path`.
  func freeBytes(_ path: String) -> Int64 { DiskSpace.freeBytes(path) }

  /// Whether the file system of `path` is kept in memory.
  func isVolatile(_ path: String) -> Bool {
    unsafe ckernelfacts_is_volatile(path)
  }

  var secondsSince1970: Int { time(nil) }

  /// Whether the kernel was told that a time server keeps its clock.
  var isClockSynchronised: Bool {
    ckernelfacts_clock_is_synchronised()
  }
}
