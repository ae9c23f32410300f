import Glibc

/// Why a descriptor is no memory file that can be read.
package enum SealedFileError: Error, Equatable, Sendable {
  /// It names something else than a file in memory.
  case noMemoryFile
  /// It was opened for writing alone.
  case notReadable
  /// Its owner could still make it smaller.
  case canShrink
}

/// A file in memory that another process handed over by its descriptor, and that cannot shrink.
///
/// It is read by system calls and never mapped: whatever its owner does to its bytes, reading gives
/// bytes, and nothing of it is this process's memory.
package final class SealedFile: Sendable {
  private static let getSeals: Int32 = 1034
  private static let sealShrink: Int32 = 2

  private let descriptor: Int32
  package let byteCount: Int

  /// Takes the descriptor over, and closes it at the end, or when it is refused.
  package init(owning descriptor: Int32) throws(SealedFileError) {
    self.descriptor = descriptor
    var status = stat()
    // Files alone have seals that can be asked for: no pipe, no socket, and no file that could keep
    // a reader waiting.
    let seals = fcntl(descriptor, Self.getSeals)
    guard seals >= 0, unsafe fstat(descriptor, &status) == 0 else {
      byteCount = 0
      throw .noMemoryFile
    }
    byteCount = Int(status.st_size)
    guard fcntl(descriptor, F_GETFL) & O_ACCMODE != O_WRONLY else { throw .notReadable }
    guard seals & Self.sealShrink != 0 else { throw .canShrink }
  }

  deinit { close(descriptor) }

  /// Fills `destination` with the bytes from `offset` on; false when there are not so many.
  @unsafe package func read(at offset: Int, into destination: UnsafeMutableRawBufferPointer) -> Bool {
    var done = 0
    while done < destination.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: destination[done...])
      let count = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}
