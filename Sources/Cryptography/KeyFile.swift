import Glibc

/// Key files: one line, `edgeserve-private-key ROLE KEY` or `edgeserve-public-key ROLE KEY`, the
/// key in unpadded base64url.
package enum KeyFile {
  /// Bytes of the largest key file that is read.
  package static let byteCountMaximum = 4096

  private static let privateKind = "edgeserve-private-key"
  private static let publicKind = "edgeserve-public-key"

  /// Writes a private key to a new file that only its owner may read.
  package static func write(_ key: PrivateKey, role: String, to path: String)
    throws(CryptographyError)
  {
    try create(path, "\(privateKind) \(role) \(base64URL(key.seed))\n", mode: 0o600)
  }

  /// Writes a public key to a new file.
  package static func write(_ key: PublicKey, role: String, to path: String)
    throws(CryptographyError)
  {
    try create(path, "\(publicKind) \(role) \(base64URL(key.bytes))\n", mode: 0o644)
  }

  /// Reads a private key and its role; refuses a file that others may read or write.
  package static func readPrivate(_ path: String)
    throws(CryptographyError) -> (role: String, key: PrivateKey)
  {
    let (role, bytes) = try read(path, kind: privateKind, secret: true)
    guard bytes.count == PrivateKey.byteCount else { throw .keyFileMalformed(path: path) }
    return (role, try PrivateKey(seed: bytes))
  }

  /// Reads a public key and its role.
  package static func readPublic(_ path: String)
    throws(CryptographyError) -> (role: String, key: PublicKey)
  {
    let (role, bytes) = try read(path, kind: publicKind, secret: false)
    guard bytes.count == PublicKey.byteCount else { throw .keyFileMalformed(path: path) }
    return (role, try PublicKey(bytes))
  }

  private static func create(_ path: String, _ text: String, mode: mode_t)
    throws(CryptographyError)
  {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      if errno == EEXIST { throw .keyFileExists(path: path) }
      throw .file(path: path, call: .open, errno: errno)
    }
    defer { close(descriptor) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      guard count > 0 else { throw .file(path: path, call: .write, errno: errno) }
      rest = rest.dropFirst(count)
    }
    guard fsync(descriptor) == 0 else { throw .file(path: path, call: .synchronize, errno: errno) }
  }

  private static func read(_ path: String, kind: String, secret: Bool)
    throws(CryptographyError) -> (role: String, bytes: [UInt8])
  {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path: path, call: .open, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .file(path: path, call: .status, errno: errno)
    }
    guard !secret || status.st_mode & 0o077 == 0 else {
      throw .keyFileExposed(path: path, mode: status.st_mode & 0o777)
    }
    guard status.st_size <= byteCountMaximum else {
      throw .keyFileTooLarge(path: path, limit: byteCountMaximum, actual: Int(status.st_size))
    }
    var buffer = [UInt8](repeating: 0, count: byteCountMaximum)
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
    }
    guard count >= 0 else { throw .file(path: path, call: .read, errno: errno) }
    let lines = String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n")
    let words = lines.first.map { $0.split(separator: " ") } ?? []
    guard lines.count == 1, words.count == 3, words[0] == kind,
      let bytes = base64URLBytes(String(words[2]))
    else { throw .keyFileMalformed(path: path) }
    return (String(words[1]), bytes)
  }
}
