import Glibc

/// A version found in a directory, and what its file looked like.
struct VersionFile: Sendable, Equatable {
  var version: Int64
  var path: String
  var identity: FileIdentity
}

/// What changes when a file is replaced or written to.
struct FileIdentity: Sendable, Equatable {
  var device: UInt64
  var inode: UInt64
  var size: Int64
  /// Nanoseconds since 1970.
  var modified: Int64

  /// Whether the last write lies between `age` nanoseconds and a long time ago by the clock of
  /// `now`.
  func isOlder(than age: Int64, now: Int64) -> Bool {
    modified <= now && now - modified >= age
  }
}

/// What lies at a path.
enum PathKind: Equatable {
  case file(FileIdentity)
  case directory
  case missing

  init(_ path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      self = .missing
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: self = .directory
    case S_IFREG:
      self = .file(
        FileIdentity(
          device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
          modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)))
    default: self = .missing
    }
  }
}

/// The names in a directory.
enum DirectoryListing {
  /// At most `maximum` names, unsorted, without those led by a dot; nil when it cannot be read.
  static func names(_ path: String, maximum: Int) -> [String]? {
    guard let directory = unsafe opendir(path) else { return nil }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while names.count < maximum, let entry = unsafe readdir(directory) {
      // Sound: the kernel ends `d_name` with a zero within the entry.
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }
}
