import Glibc

/// Room for files.
package enum DiskSpace {
  /// Bytes free to this process on the file system of `path`; 0 when it cannot be told.
  package static func freeBytes(_ path: String) -> Int64 {
    var status = statvfs()
    // Sound: the pointer is to a local variable of the type that the call fills.
    guard unsafe statvfs(path, &status) == 0 else { return 0 }
    let (bytes, overflow) = Int64(clamping: status.f_bavail)
      .multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
    return overflow ? .max : bytes
  }
}
