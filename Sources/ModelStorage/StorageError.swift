/// A call of the file layer.
package enum FileCall: String, Sendable, Equatable, CaseIterable {
  case open, createDirectory, size, reserve, write, read, synchronize, synchronizeDirectory
  case rename, remove, list, lock
}

/// Why the store could not do what it was asked.
package enum StorageError: Error, Equatable, Sendable {
  /// The file system is full, or the user's quota is used up.
  case noSpace(call: FileCall)
  /// A file call failed with `errno`.
  case system(call: FileCall, errno: Int32)
  /// A name does not follow `[A-Za-z0-9_-]{1,64}`, so it may not become part of a path.
  case invalidName(String)
  /// A version is not a positive number.
  case invalidVersion(Int64)
  /// A size is not positive or is over the limit, in bytes.
  case invalidSize(limit: Int, actual: Int)
  /// A write goes beyond the reserved size, in bytes.
  case outsideReservation(size: Int, offset: Int, count: Int)
  /// A staging file is used that was not reserved.
  case notStaged(model: String)
  /// The whole file's hash is not the signed one.
  case digestMismatch
}
