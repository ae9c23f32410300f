import ByteParsing
package import Cryptography

/// A COSE_Sign message (RFC 9052 section 4.1, tag 98) with Ed25519 signatures over the payload's
/// bytes as they are; nothing is encoded again before it is verified.
///
/// Headers are fixed: the body's protected header is the role's content type; each signature's is
/// EdDSA and the key's identifier; unprotected headers are empty.
package struct SignedMessage: Sendable, Equatable {
  /// The role that the message is for.
  package let role: Role
  /// The document's bytes, not yet trusted.
  package let payload: [UInt8]
  /// The signatures, in the message's order.
  package private(set) var signatures: [Signature]

  /// One signature and the identifier of the key that is said to have made it.
  package struct Signature: Sendable, Equatable {
    /// The first 8 bytes of the SHA-256 of the key.
    package let keyIdentifier: [UInt8]
    /// 64 bytes.
    package let bytes: [UInt8]
  }

  private static let tag: UInt64 = 98
  /// COSE header labels and the EdDSA algorithm (RFC 9052 section 3.1, RFC 9053 section 2.2).
  private static let algorithmLabel: UInt64 = 1
  private static let contentTypeLabel: UInt64 = 3
  private static let keyIdentifierLabel: UInt64 = 4
  private static let edDSA: Int64 = -8
  private static let headerByteCountMaximum = 128

  /// Signs `payload` for `role` with each of `keys`.
  package init(role: Role, payload: [UInt8], keys: [PrivateKey]) throws(CryptographyError) {
    self.init(role: role, unsigned: payload)
    for key in keys { try add(key) }
  }

  /// A message that is yet to be signed.
  package init(role: Role, unsigned payload: [UInt8]) {
    self.role = role
    self.payload = payload
    signatures = []
  }

  /// Signs the message with one more key.
  package mutating func add(_ key: PrivateKey) throws(CryptographyError) {
    let identifier = key.publicKey.identifier
    let covered = SignedMessage.signedBytes(role, keyIdentifier: identifier, payload)
    signatures.append(Signature(keyIdentifier: identifier, bytes: try key.sign(covered)))
  }

  /// Reads a message for `role`; verifies no signature.
  package init(_ bytes: [UInt8], role: Role) throws(DocumentError) {
    guard bytes.count <= DocumentLimits.messageBytes else {
      throw .tooLarge(limit: DocumentLimits.messageBytes, actual: bytes.count)
    }
    let parts: Parts
    do throws(CBORError) {
      parts = try SignedMessage.parts(bytes)
    } catch {
      throw .malformed(error)
    }
    guard parts.bodyHeader == SignedMessage.bodyHeader(role) else {
      throw .wrongHeader(expected: role)
    }
    var signatures: [Signature] = []
    for (header, signature) in parts.signatures {
      let identifier = Array(header.suffix(PublicKey.identifierByteCount))
      guard header == SignedMessage.signatureHeader(identifier) else {
        throw .wrongHeader(expected: role)
      }
      signatures.append(Signature(keyIdentifier: identifier, bytes: signature))
    }
    self.role = role
    self.payload = parts.payload
    self.signatures = signatures
  }

  /// A message taken apart, its headers still encoded.
  private struct Parts {
    var bodyHeader: [UInt8]
    var payload: [UInt8]
    var signatures: [(header: [UInt8], signature: [UInt8])]
  }

  private static func parts(_ bytes: [UInt8]) throws(CBORError) -> Parts {
    var reader = CBORReader(bytes)
    try reader.tag(tag)
    guard try reader.beginArray(maximum: 4) == 4 else { throw .outOfRange(offset: reader.offset) }
    let bodyHeader = try reader.byteString(maximum: headerByteCountMaximum)
    try reader.emptyMap()
    let payload = try reader.byteString(maximum: DocumentLimits.messageBytes)
    let signatures = try reader.array(maximum: DocumentLimits.signatures) {
      (item) throws(CBORError) -> (header: [UInt8], signature: [UInt8]) in
      guard try item.beginArray(maximum: 3) == 3 else { throw .outOfRange(offset: item.offset) }
      let header = try item.byteString(maximum: headerByteCountMaximum)
      try item.emptyMap()
      let signature = try item.byteString(count: PublicKey.signatureByteCount)
      item.endArray()
      return (header, signature)
    }
    reader.endArray()
    try reader.finish()
    return Parts(bodyHeader: bodyHeader, payload: payload, signatures: signatures)
  }

  /// The message's bytes.
  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.tag(SignedMessage.tag)
    writer.beginArray(4)
    writer.byteString(SignedMessage.bodyHeader(role))
    writer.map { _ in }
    writer.byteString(payload)
    writer.array(signatures) { writer, signature in
      writer.beginArray(3)
      writer.byteString(SignedMessage.signatureHeader(signature.keyIdentifier))
      writer.map { _ in }
      writer.byteString(signature.bytes)
    }
    return writer.bytes
  }

  /// How many of `keys`, each counted once, signed the message.
  package func validSignatureCount(of keys: [PublicKey]) -> Int {
    Set(keys).count { key in
      let identifier = key.identifier
      return signatures.contains { signature in
        guard signature.keyIdentifier == identifier else { return false }
        let covered = SignedMessage.signedBytes(role, keyIdentifier: identifier, payload)
        return key.verify(signature.bytes, of: covered)
      }
    }
  }

  /// Throws unless `threshold` of `keys` signed the message.
  package func verify(keys: [PublicKey], threshold: Int) throws(DocumentError) {
    let valid = validSignatureCount(of: keys)
    guard threshold >= 1, valid >= threshold else {
      throw .notEnoughSignatures(role: role, needed: threshold, valid: valid)
    }
  }

  private static func bodyHeader(_ role: Role) -> [UInt8] {
    var writer = CBORWriter()
    writer.map { $0.text(contentTypeLabel, role.contentType) }
    return writer.bytes
  }

  private static func signatureHeader(_ keyIdentifier: [UInt8]) -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.field(algorithmLabel) { $0.integer(edDSA) }
      map.byteString(keyIdentifierLabel, keyIdentifier)
    }
    return writer.bytes
  }

  /// Sig_structure of RFC 9052 section 4.4.
  private static func signedBytes(_ role: Role, keyIdentifier: [UInt8], _ payload: [UInt8])
    -> [UInt8]
  {
    var writer = CBORWriter()
    writer.beginArray(5)
    writer.text("Signature")
    writer.byteString(bodyHeader(role))
    writer.byteString(signatureHeader(keyIdentifier))
    writer.byteString(role.signatureContext)
    writer.byteString(payload)
    return writer.bytes
  }
}
