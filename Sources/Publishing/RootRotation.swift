import Cryptography
package import SignedDocuments

/// Replaces keys of a fleet by a root document of the next version, signed by the thresholds of the
/// old root and the new, which devices walk to.
package struct RootRotation: Sendable {
  /// The roles whose keys are made anew.
  package var roles: Set<Role>
  /// When the new root document expires, in seconds since 1970.
  package var expires: Int64
  /// Who signs root documents from then on; nil for those who sign now, or, when the root is among
  /// the roles, for a new key.
  package var holders: RootHolders?

  package init(roles: Set<Role>, expires: Int64, holders: RootHolders? = nil) {
    self.roles = roles
    self.expires = expires
    self.holders = holders
  }

  /// Reads the keys in `directory`, and writes those that follow, with all earlier root documents,
  /// to `target`, which must not hold any.
  ///
  /// - Returns: the new root document with the signatures of the root keys that were there; when it
  ///   is not complete, its other holders have yet to sign `target/root.cose`.
  package func rotate(_ directory: String, into target: String) throws(PublishingError)
    -> RootSigning
  {
    let old = try PublisherKeys(directory: directory)
    let present = old.trustedRoot.document
    guard present.version < Int64.max else { throw .sequenceExhausted }
    let oldRoot = try Self.rootKey(directory, present)
    let (holders, newRoot) = try nextHolders(present)
    let release = roles.contains(.release) ? try generate() : old.release
    let director = roles.contains(.director) ? try generate() : old.director
    var signing = RootSigning(
      RootDocument(
        fleet: present.fleet, version: present.version + 1, expires: expires, holders: holders,
        release: release.publicKey, director: director.publicKey),
      former: old.trustedRoot)
    for key in [oldRoot, newRoot].compactMap(\.self) { try signing.sign(with: key) }
    let kept = oldRoot.flatMap { holders.keys.contains($0.publicKey) ? $0 : nil }
    try KeyDirectory.write(
      to: target, root: newRoot ?? kept, release: release, director: director,
      rootMessage: signing.message)
    for root in old.formerRoots + [old.trustedRoot] {
      try writeNewFile(RootHistory.path(target, root.document.version), root.message)
    }
    return signing
  }

  /// Who signs from then on, and the key that was made for it.
  private func nextHolders(_ present: RootDocument) throws(PublishingError)
    -> (RootHolders, PrivateKey?)
  {
    if let holders { return (holders, nil) }
    let holders = try RootHolders(present)
    guard roles.contains(.root) else { return (holders, nil) }
    guard holders.keys.count == 1 else { throw .rootHoldersUnnamed(count: holders.keys.count) }
    let key = try generate()
    return (try RootHolders([key.publicKey], threshold: 1), key)
  }

  /// The root key in `directory`; nil when its holders keep theirs elsewhere.
  private static func rootKey(_ directory: String, _ present: RootDocument)
    throws(PublishingError) -> PrivateKey?
  {
    guard fileExists("\(directory)/root.key") else { return nil }
    let key = try PublisherKeys.read("\(directory)/root.key", .root)
    guard present.keys(of: .root).contains(key.publicKey) else {
      throw .keyNotTrusted(role: .root)
    }
    return key
  }

  private func generate() throws(PublishingError) -> PrivateKey {
    do throws(CryptographyError) { return try .generate() } catch { throw .cryptography(error) }
  }
}

/// The root documents before the present one, which devices that were away walk through.
enum RootHistory {
  static func path(_ directory: String, _ version: Int64) -> String {
    "\(directory)/root-\(version).cose"
  }

  /// The documents `root-1.cose`, `root-2.cose` and so on that lie in `directory`.
  static func read(_ directory: String) throws(PublishingError) -> [TrustedRoot] {
    var roots: [TrustedRoot] = []
    while fileExists(path(directory, Int64(roots.count + 1))) {
      let message = try readFile(path(directory, Int64(roots.count + 1)))
      do throws(DocumentError) { roots.append(try TrustedRoot(trusting: message)) } catch {
        throw .document(error)
      }
    }
    return roots
  }
}
