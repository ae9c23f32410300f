import CCrypto
import Glibc

/// SHA-256 (FIPS 180-4), incremental.
///
/// Not for use from two threads at once.
@safe
package final class SHA256 {
  private let context: OpaquePointer

  package init() {
    guard let context = unsafe EVP_MD_CTX_new() else { fatalError("no memory for a digest") }
    unsafe self.context = context
    start()
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  /// Adds bytes to the message.
  package func update(_ bytes: RawSpan) {
    // The pointer and the count are of the same span, and live through the call.
    unsafe bytes.withUnsafeBytes { unsafe absorb($0) }
  }

  /// Adds bytes to the message.
  package func update(_ bytes: [UInt8]) { update(bytes.span) }

  /// Adds bytes to the message.
  package func update(_ bytes: Span<UInt8>) {
    // Bytes have no padding that could be read uninitialised.
    unsafe bytes.withUnsafeBytes { unsafe absorb($0) }
  }

  private func absorb(_ buffer: UnsafeRawBufferPointer) {
    let status = unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
    precondition(status == 1)
  }

  /// The digest of everything added; the next message starts empty.
  package func finish() -> Digest {
    var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
    unsafe bytes.withUnsafeMutableBufferPointer { buffer in
      // EVP_sha256 writes exactly 32 bytes.
      let status = unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
      precondition(status == 1)
    }
    start()
    guard let digest = Digest(bytes) else { preconditionFailure("a digest has 32 bytes") }
    return digest
  }

  private func start() {
    // Fails only when the library was built without SHA-256.
    let status = unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(status == 1)
  }

  /// The digest of `bytes`.
  package static func hash(_ bytes: RawSpan) -> Digest {
    let hasher = SHA256()
    hasher.update(bytes)
    return hasher.finish()
  }

  /// The digest of `bytes`.
  package static func hash(_ bytes: [UInt8]) -> Digest {
    let hasher = SHA256()
    hasher.update(bytes)
    return hasher.finish()
  }

  /// The digest of the file at `path`, read in pieces of 64 KiB.
  package static func hash(file path: String) throws(CryptographyError) -> Digest {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path: path, call: .open, errno: errno) }
    defer { close(descriptor) }
    let hasher = SHA256()
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe read(descriptor, $0.baseAddress, $0.count)
      }
      if count == 0 { return hasher.finish() }
      if count < 0 {
        if errno == EINTR { continue }
        throw .file(path: path, call: .read, errno: errno)
      }
      hasher.update(buffer.span.extracting(first: count))
    }
  }
}
