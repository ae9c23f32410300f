/// Why a key, a signature or a file digest cannot be made.
package enum CryptographyError: Error, Equatable, Sendable {
  /// A key has `actual` bytes where `expected` are needed.
  case wrongKeyByteCount(expected: Int, actual: Int)
  /// The library refused an operation that has no reason to fail on valid input.
  case libraryFailure(operation: Operation)
  /// A file call on `path` failed with `errno`.
  case file(path: String, call: FileCall, errno: Int32)
  /// A key file exists already; keys are never overwritten.
  case keyFileExists(path: String)
  /// A private key file may be read by others: its mode is `mode`.
  case keyFileExposed(path: String, mode: UInt32)
  /// A key file is not one line of kind, role and key.
  case keyFileMalformed(path: String)
  /// A key file is larger than any key file: `actual` bytes of at most `limit`.
  case keyFileTooLarge(path: String, limit: Int, actual: Int)

  /// An operation of the library.
  package enum Operation: String, Sendable { case digest, randomBytes, importKey, sign }
  /// A system call on a file.
  package enum FileCall: String, Sendable { case open, status, read, write, synchronize, close }
}
