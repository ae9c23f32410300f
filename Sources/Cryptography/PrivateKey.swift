/// An Ed25519 private key (RFC 8032).
package struct PrivateKey: Sendable {
  /// Bytes of the seed.
  package static let byteCount = 32

  /// The 32-byte seed.
  let seed: [UInt8]
  /// The key that verifies this key's signatures.
  package let publicKey: PublicKey

  /// The key of a 32-byte seed.
  package init(seed: [UInt8]) throws(CryptographyError) {
    guard seed.count == PrivateKey.byteCount else {
      throw .wrongKeyByteCount(expected: PrivateKey.byteCount, actual: seed.count)
    }
    guard let key = LibraryKey(seed: seed), let publicBytes = key.publicBytes() else {
      throw .libraryFailure(operation: .importKey)
    }
    self.seed = seed
    self.publicKey = try PublicKey(publicBytes)
  }

  /// A new random key.
  package static func generate() throws(CryptographyError) -> PrivateKey {
    try PrivateKey(seed: randomBytes(byteCount))
  }

  /// The 64-byte signature of `message`.
  package func sign(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] {
    guard let signature = LibraryKey(seed: seed)?.sign(message) else {
      throw .libraryFailure(operation: .sign)
    }
    return signature
  }
}
