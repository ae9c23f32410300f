import CFaults
import Glibc

/// A read-only mapping of a file, or of a part of one, unmapped when its last view is gone.
///
/// A file that shrinks while it is mapped reads as zeros where it ended, and one that is written to
/// reads as it is written: neither harms the process, and `isIntact` tells.
@safe package final class MappedFile: Sendable {
  /// The base of the mapping; nil when it holds no bytes.
  nonisolated(unsafe) private let base: UnsafeMutableRawPointer?
  private let mappedCount: Int
  /// From the base of the mapping to the first byte asked for.
  private let lead: Int
  /// Bytes that can be read.
  package let count: Int
  /// Open for as long as the mapping, to see whether the file was changed.
  private let descriptor: Int32
  private let version: FileVersion
  /// What the file system said of the file when it was mapped.
  package var stamp: FileStamp { version.stamp }
  /// Names the watch over the mapping; nil when it holds no bytes.
  private let watch: Int32?

  /// Maps `count` bytes at `offset` of the file at `path`; all that follow `offset` when `count` is
  /// nil.
  ///
  /// - Throws: `unreadableFile` or `partOutsideFile`.
  package init(path: String, offset: Int = 0, count: Int? = nil) throws(ParsingError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadableFile(errno: errno) }
    var isMapped = false
    defer { if !isMapped { close(descriptor) } }
    guard let version = FileVersion(descriptor) else { throw .unreadableFile(errno: EINVAL) }
    let fileSize = version.byteCount
    self.descriptor = descriptor
    self.version = version
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
      watch = nil
      isMapped = true
      return
    }
    mappedCount = lead + wanted
    let mapping = unsafe mmap(
      nil, mappedCount, PROT_READ, MAP_PRIVATE, descriptor, off_t(offset - lead))
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
      throw .unreadableFile(errno: errno)
    }
    let watch = unsafe cf_watch(mapping, mappedCount)
    guard watch >= 0 else {
      unsafe munmap(mapping, mappedCount)
      throw .unreadableFile(errno: ENOMEM)
    }
    unsafe base = mapping
    self.watch = watch
    isMapped = true
  }

  deinit {
    // Sound: views hold this object, so none is left.
    if let base = unsafe base { unsafe munmap(base, mappedCount) }
    if let watch { cf_unwatch(watch) }
    close(descriptor)
  }

  /// Whether the file is still as it was mapped: neither cut nor written to since.
  package var isIntact: Bool {
    if isTorn { return false }
    return FileVersion(descriptor) == version
  }

  /// Whether some of the bytes could not be read, and were read as zeros.
  package var isTorn: Bool { watch.map { cf_was_torn($0) } ?? false }

  /// Maps all of the file at once, for a reader who is about to read all of it: a fault for every few
  /// pages costs more than the pages. Does nothing where the kernel cannot, which is before Linux 5.14.
  package func populate() {
    // Sound: the mapping is ours until `deinit`, and the advice changes none of its bytes.
    if let base = unsafe base { _ = unsafe madvise(base, mappedCount, Self.populateRead) }
  }

  /// `MADV_POPULATE_READ`, which older headers do not have.
  private static let populateRead: Int32 = 22

  /// The bytes; the view keeps the mapping alive.
  package var bytes: ByteView {
    guard let base = unsafe base else { return ByteView([UInt8]()) }
    // Sound: the mapping is readable for `lead + count` bytes until `deinit`.
    return unsafe ByteView(start: UnsafeRawPointer(base) + lead, count: count, owner: self)
  }
}

/// What changes when a file is written to in place.
private struct FileVersion: Equatable {
  let stamp: FileStamp
  var byteCount: Int { Int(stamp.byteCount) }

  /// Nil when the descriptor is not of a regular file.
  init?(_ descriptor: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return nil
    }
    stamp = FileStamp(
      inode: UInt64(status.st_ino), byteCount: Int64(status.st_size),
      modified: Self.nanoseconds(status.st_mtim), changed: Self.nanoseconds(status.st_ctim))
  }

  /// Renaming or linking a file leaves its bytes alone, so `changed` does not count here.
  static func == (left: FileVersion, right: FileVersion) -> Bool {
    left.stamp.byteCount == right.stamp.byteCount && left.stamp.modified == right.stamp.modified
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

/// What the file system says of a file, and says otherwise once the file is written to, or another is
/// in its place: nobody but the kernel sets `changed`.
package struct FileStamp: Sendable, Equatable {
  package var inode: UInt64
  package var byteCount: Int64
  /// When the content was last written, and when anything of the file, in nanoseconds since 1970.
  package var modified: Int64
  package var changed: Int64

  package init(inode: UInt64, byteCount: Int64, modified: Int64, changed: Int64) {
    self.inode = inode
    self.byteCount = byteCount
    self.modified = modified
    self.changed = changed
  }
}
