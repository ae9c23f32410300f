import Glibc

/// The machine's own file system, below one directory.
///
/// Every path is walked from the directory's descriptor without following a symbolic link. Each
/// pointer that is passed lives through its call and comes with its own size.
@safe
package final class SystemFiles: FileSystem {
  private let root: Int32

  /// - Parameter path: the state directory; made, with mode 0700, if it is missing.
  package init(_ path: String) throws(StorageError) {
    if unsafe mkdir(path, 0o700) != 0 && errno != EEXIST { throw Self.failure(.createDirectory) }
    root = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else { throw Self.failure(.open) }
  }

  deinit { Glibc.close(root) }

  package func createDirectory(_ path: StoragePath) throws(StorageError) {
    let parent = try directory(path.parent, .createDirectory)
    defer { Glibc.close(parent) }
    let code = unsafe mkdirat(parent, path.components[path.components.count - 1], 0o700)
    guard code == 0 || errno == EEXIST else { throw Self.failure(.createDirectory) }
  }

  package func open(_ path: StoragePath, creating: Bool) throws(StorageError) -> OpenFile {
    let parent = try directory(path.parent, .open)
    defer { Glibc.close(parent) }
    let flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (creating ? O_CREAT : 0)
    let name = path.components[path.components.count - 1]
    let descriptor = unsafe openat(parent, name, flags, 0o600)
    guard descriptor >= 0 else { throw Self.failure(.open) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      Glibc.close(descriptor)
      throw .system(call: .open, errno: EINVAL)
    }
    return OpenFile(number: descriptor)
  }

  package func close(_ file: OpenFile) { Glibc.close(file.number) }

  package func size(_ file: OpenFile) throws(StorageError) -> Int {
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw Self.failure(.size) }
    return Int(status.st_size)
  }

  package func reserve(_ file: OpenFile, byteCount: Int) throws(StorageError) {
    let code = posix_fallocate(file.number, 0, off_t(byteCount))
    guard code == 0 else { throw Self.failure(.reserve, code) }
  }

  package func write(_ file: OpenFile, _ bytes: [UInt8], at offset: Int) throws(StorageError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(
          file.number, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(.write, count == 0 ? ENOSPC : errno) }
      done += count
    }
  }

  package func read(_ file: OpenFile, count: Int, at offset: Int) throws(StorageError) -> [UInt8] {
    var done = 0
    var failed = false
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while done < count {
        let got = unsafe pread(
          file.number, buffer.baseAddress! + done, count - done, off_t(offset + done))
        if got < 0 && errno == EINTR { continue }
        failed = got < 0
        if got <= 0 { break }
        done += got
      }
      initialized = done
    }
    guard !failed else { throw Self.failure(.read) }
    return bytes
  }

  package func synchronize(_ file: OpenFile) throws(StorageError) {
    guard fdatasync(file.number) == 0 else { throw Self.failure(.synchronize) }
  }

  package func synchronizeDirectory(_ path: StoragePath) throws(StorageError) {
    let descriptor = try directory(path, .synchronizeDirectory)
    defer { Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Self.failure(.synchronizeDirectory) }
  }

  package func rename(_ path: StoragePath, to target: StoragePath) throws(StorageError) {
    let source = try directory(path.parent, .rename)
    defer { Glibc.close(source) }
    let destination = try directory(target.parent, .rename)
    defer { Glibc.close(destination) }
    let code = unsafe renameat(
      source, path.components[path.components.count - 1],
      destination, target.components[target.components.count - 1])
    guard code == 0 else { throw Self.failure(.rename) }
  }

  package func remove(_ path: StoragePath, directory isDirectory: Bool) throws(StorageError) {
    let parent: Int32
    do { parent = try directory(path.parent, .remove) } catch {
      if error == .system(call: .remove, errno: ENOENT) { return }
      throw error
    }
    defer { Glibc.close(parent) }
    let name = path.components[path.components.count - 1]
    let code = unsafe unlinkat(parent, name, isDirectory ? AT_REMOVEDIR : 0)
    guard code == 0 || errno == ENOENT else { throw Self.failure(.remove) }
  }

  package func list(_ path: StoragePath) throws(StorageError) -> [String] {
    let descriptor: Int32
    do { descriptor = try directory(path, .list) } catch {
      if error == .system(call: .list, errno: ENOENT) { return [] }
      throw error
    }
    guard let stream = unsafe fdopendir(descriptor) else {
      Glibc.close(descriptor)
      throw Self.failure(.list)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while names.count < StorageLimits.directoryEntriesMaximum, let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if StoragePath.isComponent(name) { names.append(name) }
    }
    return names.sorted()
  }

  /// A descriptor of a directory, to be closed by the caller.
  private func directory(_ path: StoragePath, _ call: FileCall) throws(StorageError) -> Int32 {
    var current = unsafe openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    for component in path.components where current >= 0 {
      let next = unsafe openat(
        current, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
      let code = errno
      Glibc.close(current)
      errno = code
      current = next
    }
    guard current >= 0 else { throw Self.failure(call) }
    return current
  }

  private static func failure(_ call: FileCall, _ code: Int32 = errno) -> StorageError {
    code == ENOSPC || code == EDQUOT ? .noSpace(call: call) : .system(call: call, errno: code)
  }
}
