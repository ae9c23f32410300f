import Cryptography
package import SignedDocuments

/// Replaces keys of a fleet by a root document of the next version, signed by the old and the new
/// root key, which devices walk to.
package struct RootRotation: Sendable {
  /// The roles whose keys are replaced.
  package var roles: Set<Role>
  /// When the new root document expires, in seconds since 1970.
  package var expires: Int64

  package init(roles: Set<Role>, expires: Int64) {
    self.roles = roles
    self.expires = expires
  }

  /// The keys and the root that follow `old`.
  package func next(after old: FleetKeys) throws(PublishingError) -> FleetKeys {
    let version = old.trustedRoot.document.version
    guard version < Int64.max else { throw .sequenceExhausted }
    do throws(CryptographyError) {
      let keys = try FleetKeys(
        following: old, version: version + 1, expires: expires,
        root: roles.contains(.root) ? .generate() : old.root,
        release: roles.contains(.release) ? .generate() : old.release,
        director: roles.contains(.director) ? .generate() : old.director)
      return keys
    } catch {
      throw .cryptography(error)
    }
  }

  /// Reads the keys in `directory`, and writes those that follow, with all earlier root documents,
  /// to `target`, which must not hold any.
  package func rotate(_ directory: String, into target: String) throws(PublishingError)
    -> FleetKeys
  {
    let old = try FleetKeys(directory: directory)
    let next = try next(after: old)
    try next.write(to: target)
    for root in try RootHistory.read(directory) + [old.trustedRoot] {
      try writeNewFile(RootHistory.path(target, root.document.version), root.message)
    }
    return next
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
