package import Cryptography
import SignedDocuments

/// Who holds the root keys of a fleet, and how many of them must sign.
package struct RootHolders: Sendable, Equatable {
  package let keys: [PublicKey]
  package let threshold: Int

  /// - Throws: `.rootHolders` unless the keys differ, are no more than there may be, and reach the
  ///   threshold.
  package init(_ keys: [PublicKey], threshold: Int) throws(PublishingError) {
    guard Set(keys).count == keys.count, 1...PublishingLimits.rootHolders ~= keys.count,
      1...keys.count ~= threshold
    else {
      throw .rootHolders(
        limit: PublishingLimits.rootHolders, different: Set(keys).count, threshold: threshold)
    }
    self.keys = keys
    self.threshold = threshold
  }

  /// Reads the holders' `root.pub` files.
  package init(files: [String], threshold: Int) throws(PublishingError) {
    var keys: [PublicKey] = []
    for path in files {
      let file: (role: String, key: PublicKey)
      do throws(CryptographyError) { file = try KeyFile.readPublic(path) } catch {
        throw .cryptography(error)
      }
      guard file.role == Role.root.rawValue else {
        throw .wrongKeyRole(path: path, expected: .root, actual: file.role)
      }
      keys.append(file.key)
    }
    try self.init(keys, threshold: threshold)
  }

  /// Those of `document`.
  init(_ document: RootDocument) throws(PublishingError) {
    try self.init(document.keys(of: .root), threshold: document.threshold(of: .root))
  }
}

extension RootDocument {
  /// The document that gives the root to `holders`, and one key to each of the other roles.
  init(
    fleet: String, version: Int64, expires: Int64, holders: RootHolders, release: PublicKey,
    director: PublicKey
  ) {
    func one(_ key: PublicKey) -> RoleKeys {
      RoleKeys(keyIdentifiers: [key.identifier], threshold: 1)
    }
    self.init(
      fleet: fleet, version: version, expires: expires, keys: holders.keys + [release, director],
      roles: [
        .root: RoleKeys(
          keyIdentifiers: holders.keys.map(\.identifier), threshold: holders.threshold),
        .release: one(release), .director: one(director),
      ])
  }
}
