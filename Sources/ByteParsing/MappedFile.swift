import Glibc

/// A read-only mapping of a file, or of a part of one, unmapped when its last view is gone.
@safe package final class MappedFile: Sendable {
  /// The base of the mapping; nil when it holds no bytes.
  nonisolated(unsafe) private let base: UnsafeMutableRawPointer?
  private let mappedCount: Int
  /// From the base of the mapping to the first byte asked for.
  private let lead: Int
  /// Bytes that can be read.
  package let count: Int

  /// Maps `count` bytes at `offset` of the file at `path`; all that follow `offset` when `count` is
  /// nil.
  ///
  /// The file must not shrink while it is mapped: stored models are replaced by rename, never
  /// rewritten.
  package init(path: String, offset: Int = 0, count: Int? = nil) throws(ParsingError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadableFile(errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadableFile(errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadableFile(errno: EINVAL) }
    let fileSize = Int(status.st_size)
    let wanted = count ?? Swift.max(0, fileSize - Swift.max(0, offset))
    guard offset >= 0, wanted >= 0, offset <= fileSize, wanted <= fileSize - offset else {
      throw .partOutsideFile(offset: offset, count: wanted, fileSize: fileSize)
    }
    // The kernel maps whole pages only.
    lead = offset % Int(sysconf(Int32(_SC_PAGESIZE)))
    self.count = wanted
    guard wanted > 0 else {
      unsafe base = nil
      mappedCount = 0
      return
    }
    mappedCount = lead + wanted
    let mapping = unsafe mmap(
      nil, mappedCount, PROT_READ, MAP_PRIVATE, descriptor, off_t(offset - lead))
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
      throw .unreadableFile(errno: errno)
    }
    unsafe base = mapping
  }

  deinit {
    // Sound: views hold this object, so none is left.
    if let base = unsafe base { unsafe munmap(base, mappedCount) }
  }

  /// The bytes; the view keeps the mapping alive.
  package var bytes: ByteView {
    guard let base = unsafe base else { return ByteView([UInt8]()) }
    // Sound: the mapping is readable for `lead + count` bytes until `deinit`.
    return unsafe ByteView(start: UnsafeRawPointer(base) + lead, count: count, owner: self)
  }
}
