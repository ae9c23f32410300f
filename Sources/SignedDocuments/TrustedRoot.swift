import Cryptography

/// The root document that a device trusts now, and what may be believed on its word.
package struct TrustedRoot: Sendable, Equatable {
  /// The document.
  package let document: RootDocument
  /// The message that it came in, as it is kept on disk.
  package let message: [UInt8]

  /// Trusts the message that came with the device; it must be signed by its own root keys.
  package init(trusting message: [UInt8]) throws(DocumentError) {
    let signed = try SignedMessage(message, role: .root)
    let document = try RootDocument.decode(signed.payload)
    try signed.verify(keys: document.keys(of: .root), threshold: document.threshold(of: .root))
    self.document = document
    self.message = message
  }

  /// The root after `message`, which must be the next version, the same fleet's, and signed by the
  /// thresholds of both this root and itself.
  ///
  /// Expiry is not looked at: a device that slept must be able to walk through expired versions to
  /// the last one.
  package func updated(by message: [UInt8]) throws(DocumentError) -> TrustedRoot {
    let signed = try SignedMessage(message, role: .root)
    try signed.verify(keys: document.keys(of: .root), threshold: document.threshold(of: .root))
    let next = try TrustedRoot(trusting: message)
    guard next.document.fleet == document.fleet else {
      throw .wrongFleet(expected: document.fleet, actual: next.document.fleet)
    }
    guard document.version < Int64.max, next.document.version == document.version + 1 else {
      throw .wrongRootVersion(
        expected: document.version &+ 1, actual: next.document.version)
    }
    return next
  }

  /// Throws when the root's own time is over at `now`, in seconds since 1970.
  package func checkExpiry(now: Int64) throws(DocumentError) {
    guard now < document.expires else {
      throw .expired(role: .root, expires: document.expires, now: now)
    }
  }

  /// The release in `message`, when its keys signed it for this fleet and `model` and its time is
  /// not over at `now`.
  package func verify(release message: [UInt8], model: String, now: Int64) throws(DocumentError)
    -> ReleaseDocument
  {
    let release = try authenticate(release: message, model: model)
    try checkExpiry(now: now)
    guard now < release.expires else {
      throw .expired(role: .release, expires: release.expires, now: now)
    }
    return release
  }

  /// The release in `message` whatever the time.
  package func authenticate(release message: [UInt8], model: String) throws(DocumentError)
    -> ReleaseDocument
  {
    let release = try ReleaseDocument.decode(try payload(message, .release))
    try check(release.fleet, release.model, model)
    return release
  }

  /// The release in `message` as `verify(release:model:now:)`, and only if it is the one that
  /// `reference` names by number and hash.
  package func verify(
    release message: [UInt8], named reference: DirectorDocument.Reference, model: String,
    now: Int64
  ) throws(DocumentError) -> ReleaseDocument {
    let release = try verify(release: message, model: model, now: now)
    guard release.sequence == reference.sequence,
      SHA256.hash(message) == reference.manifestSHA256
    else { throw .wrongRelease(expected: reference.sequence, actual: release.sequence) }
    return release
  }

  /// The director document in `message`, when its keys signed it for this fleet and `model` and its
  /// time is not over at `now`.
  package func verify(director message: [UInt8], model: String, now: Int64)
    throws(DocumentError) -> DirectorDocument
  {
    let director = try authenticate(director: message, model: model)
    try checkExpiry(now: now)
    guard now < director.expires else {
      throw .expired(role: .director, expires: director.expires, now: now)
    }
    return director
  }

  /// The director document in `message` whatever the time, as a publisher needs to continue its
  /// numbers.
  package func authenticate(director message: [UInt8], model: String) throws(DocumentError)
    -> DirectorDocument
  {
    let director = try DirectorDocument.decode(try payload(message, .director))
    try check(director.fleet, director.model, model)
    return director
  }

  /// The command in `message`, when the director's keys signed it for this fleet and `device`,
  /// whatever the time.
  package func authenticate(command message: [UInt8], device: String) throws(DocumentError)
    -> CommandDocument
  {
    let command = try CommandDocument.decode(try payload(message, .director))
    guard command.fleet == document.fleet else {
      throw .wrongFleet(expected: document.fleet, actual: command.fleet)
    }
    guard command.device == device else { throw .invalid(.device) }
    return command
  }

  /// The payload of `message`, when the keys of `role` signed it.
  private func payload(_ message: [UInt8], _ role: Role) throws(DocumentError) -> [UInt8] {
    let signed = try SignedMessage(message, role: role)
    try signed.verify(keys: document.keys(of: role), threshold: document.threshold(of: role))
    return signed.payload
  }

  private func check(_ fleet: String, _ model: String, _ expectedModel: String)
    throws(DocumentError)
  {
    guard fleet == document.fleet else {
      throw .wrongFleet(expected: document.fleet, actual: fleet)
    }
    guard model == expectedModel else {
      throw .wrongModel(expected: expectedModel, actual: model)
    }
  }
}
