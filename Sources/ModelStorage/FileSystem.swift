/// An open file of a `FileSystem`.
package struct OpenFile: Hashable, Sendable {
  package let number: Int32
  package init(number: Int32) { self.number = number }
}

/// The file calls that the store makes, so that a test can make each of them fail or forget.
///
/// Durable means: still there after a power cut. A call is durable only where it says so.
package protocol FileSystem: AnyObject {
  /// Makes a directory; one that exists is left as it is.
  func createDirectory(_ path: StoragePath) throws(StorageError)
  /// Opens a regular file for reading and writing, making it if asked; follows no symbolic link.
  func open(_ path: StoragePath, creating: Bool) throws(StorageError) -> OpenFile
  func close(_ file: OpenFile)
  /// Bytes of the file.
  func size(_ file: OpenFile) throws(StorageError) -> Int
  /// Sets the space of bytes `0 ..< byteCount` aside, and makes the file at least that long.
  func reserve(_ file: OpenFile, byteCount: Int) throws(StorageError)
  /// Writes all bytes at an offset.
  func write(_ file: OpenFile, _ bytes: [UInt8], at offset: Int) throws(StorageError)
  /// Up to `count` bytes from an offset; fewer only at the end of the file.
  func read(_ file: OpenFile, count: Int, at offset: Int) throws(StorageError) -> [UInt8]
  /// Makes the file's data durable, and its size.
  func synchronize(_ file: OpenFile) throws(StorageError)
  /// Makes the names in a directory durable.
  func synchronizeDirectory(_ path: StoragePath) throws(StorageError)
  /// Moves a file or directory in one step.
  func rename(_ path: StoragePath, to target: StoragePath) throws(StorageError)
  /// Removes a file or an empty directory; nothing there is no error.
  func remove(_ path: StoragePath, directory: Bool) throws(StorageError)
  /// Names in a directory, without those that begin with a dot; none when it does not exist.
  func list(_ path: StoragePath) throws(StorageError) -> [String]
}
