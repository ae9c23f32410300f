import CCrypto

/// An Ed25519 public key (RFC 8032).
package struct PublicKey: Hashable, Sendable {
  /// Bytes of a key.
  package static let byteCount = 32
  /// Bytes of a signature.
  package static let signatureByteCount = 64
  /// Bytes of a key identifier.
  package static let identifierByteCount = 8

  /// The 32 bytes of the key.
  package let bytes: [UInt8]

  /// A key from its 32 bytes; whether they name a point shows at verification.
  package init(_ bytes: [UInt8]) throws(CryptographyError) {
    guard bytes.count == PublicKey.byteCount else {
      throw .wrongKeyByteCount(expected: PublicKey.byteCount, actual: bytes.count)
    }
    self.bytes = bytes
  }

  /// The first 8 bytes of the key's SHA-256, by which documents name it.
  package var identifier: [UInt8] {
    SHA256.hash(bytes).prefix(PublicKey.identifierByteCount)
  }

  /// Whether `signature` is this key's over `message`; false for any malformed input.
  package func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard signature.count == PublicKey.signatureByteCount,
      let key = LibraryKey(publicKey: bytes)
    else { return false }
    return key.verify(signature, of: message)
  }
}
