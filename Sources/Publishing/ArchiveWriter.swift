import Glibc
import SignedDocuments

/// Writes `publications` to a new file at `path`, as `ArchiveFormat` has them; it is on the disk
/// when this returns, and is removed when it cannot be written whole.
///
/// - Returns: the bytes of the file.
func writeArchive(_ publications: [Publication], to path: String) throws(PublishingError)
  -> Int64
{
  guard publications.count <= ArchiveFormat.messagesMaximum else {
    throw .archiveTooLarge(limit: ArchiveFormat.messagesMaximum, actual: publications.count)
  }
  let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else {
    if errno == EEXIST { throw .fileExists(path: path) }
    throw .file(path: path, errno: errno)
  }
  defer { close(descriptor) }
  do throws(PublishingError) {
    var bytes = Int64(ArchiveFormat.magic.count + ArchiveFormat.end.count)
    try write(ArchiveFormat.magic, to: descriptor, path)
    for publication in publications {
      let message = ArchiveFormat.encode(publication.topic, publication.payload)
      try write(message, to: descriptor, path)
      bytes += Int64(message.count)
    }
    try write(ArchiveFormat.end, to: descriptor, path)
    guard fsync(descriptor) == 0 else { throw .file(path: path, errno: errno) }
    return bytes
  } catch {
    _ = unsafe unlink(path)
    throw error
  }
}
