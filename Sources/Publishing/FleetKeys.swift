package import Cryptography
package import SignedDocuments

/// The keys of a new fleet and the root document that devices are to trust.
package struct FleetKeys: Sendable {
  package let root: PrivateKey
  package let release: PrivateKey
  package let director: PrivateKey
  /// The signed root document, version 1.
  package let trustedRoot: TrustedRoot

  /// Makes one key a role, and a root document that expires at `expires`, in seconds since 1970.
  package static func generate(fleet: String, expires: Int64) throws(PublishingError) -> FleetKeys {
    guard Token.isValid(fleet) else { throw .invalidName(fleet) }
    do throws(CryptographyError) {
      let keys = (try PrivateKey.generate(), try PrivateKey.generate(), try PrivateKey.generate())
      return try FleetKeys(fleet: fleet, expires: expires, keys.0, keys.1, keys.2)
    } catch {
      throw .cryptography(error)
    }
  }

  /// The keys given, and a root document of version 1 that names them.
  package init(
    fleet: String, expires: Int64, _ root: PrivateKey, _ release: PrivateKey,
    _ director: PrivateKey
  ) throws(CryptographyError) {
    try self.init(
      version: 1, fleet: fleet, expires: expires, root, release, director, signedBy: [root])
  }

  /// The keys given, and a root document after `old`, which both root keys sign.
  init(
    following old: FleetKeys, version: Int64, expires: Int64, root: PrivateKey,
    release: PrivateKey, director: PrivateKey
  ) throws(CryptographyError) {
    let signers = root.publicKey == old.root.publicKey ? [root] : [old.root, root]
    try self.init(
      version: version, fleet: old.trustedRoot.document.fleet, expires: expires, root, release,
      director, signedBy: signers)
  }

  private init(
    version: Int64, fleet: String, expires: Int64, _ root: PrivateKey, _ release: PrivateKey,
    _ director: PrivateKey, signedBy signers: [PrivateKey]
  ) throws(CryptographyError) {
    let keys: [(Role, PublicKey)] = [
      (.root, root.publicKey), (.release, release.publicKey), (.director, director.publicKey),
    ]
    let document = RootDocument(
      fleet: fleet, version: version, expires: expires, keys: keys.map(\.1),
      roles: Dictionary(
        uniqueKeysWithValues: keys.map { role, key in
          (role, RootDocument.RoleKeys(keyIdentifiers: [key.identifier], threshold: 1))
        }))
    let message = try SignedMessage(role: .root, payload: document.encode(), keys: signers)
    guard let trusted = try? TrustedRoot(trusting: message.encode()) else {
      preconditionFailure("three distinct keys and a valid name make a valid root document")
    }
    self.root = root
    self.release = release
    self.director = director
    trustedRoot = trusted
  }

  /// Reads all keys and `root.cose` of `directory`.
  package init(directory: String) throws(PublishingError) {
    let publisher = try PublisherKeys(directory: directory)
    root = try PublisherKeys.read("\(directory)/root.key", .root)
    release = publisher.release
    director = publisher.director
    trustedRoot = publisher.trustedRoot
    guard trustedRoot.document.keys(of: .root).contains(root.publicKey) else {
      throw .keyNotTrusted(role: .root)
    }
  }

  /// The names of the files that `write` makes.
  package static let fileNames =
    Role.allCases.flatMap { ["\($0.rawValue).key", "\($0.rawValue).pub"] } + ["root.cose"]

  /// Writes `root.key`, `release.key`, `director.key`, their `.pub` halves and `root.cose` into
  /// `directory`, which is made when it is missing; refuses when any of them exists.
  package func write(to directory: String) throws(PublishingError) {
    try makeDirectory(directory)
    for name in FleetKeys.fileNames where fileExists("\(directory)/\(name)") {
      throw .fileExists(path: "\(directory)/\(name)")
    }
    do throws(CryptographyError) {
      for (role, key) in [(Role.root, root), (.release, release), (.director, director)] {
        let path = "\(directory)/\(role.rawValue)"
        try KeyFile.write(key, role: role.rawValue, to: path + ".key")
        try KeyFile.write(key.publicKey, role: role.rawValue, to: path + ".pub")
      }
    } catch {
      throw .cryptography(error)
    }
    try writeNewFile("\(directory)/root.cose", trustedRoot.message)
  }
}

/// What a publisher needs of a fleet's keys; the root key stays elsewhere.
package struct PublisherKeys: Sendable {
  package let release: PrivateKey
  package let director: PrivateKey
  /// The root document that names both.
  package let trustedRoot: TrustedRoot
  /// The root documents before it, from version 1.
  package let formerRoots: [TrustedRoot]

  /// The publisher's part of a new fleet's keys.
  package init(_ keys: FleetKeys, formerRoots: [TrustedRoot] = []) {
    self.formerRoots = formerRoots
    release = keys.release
    director = keys.director
    trustedRoot = keys.trustedRoot
  }

  /// Reads `release.key`, `director.key` and `root.cose` of `directory`.
  package init(directory: String) throws(PublishingError) {
    release = try PublisherKeys.read("\(directory)/release.key", .release)
    director = try PublisherKeys.read("\(directory)/director.key", .director)
    let message = try readFile("\(directory)/root.cose")
    do throws(DocumentError) {
      trustedRoot = try TrustedRoot(trusting: message)
    } catch {
      throw .document(error)
    }
    formerRoots = try RootHistory.read(directory)
    for (role, key) in [(Role.release, release), (.director, director)] {
      guard trustedRoot.document.keys(of: role).contains(key.publicKey) else {
        throw .keyNotTrusted(role: role)
      }
    }
  }

  static func read(_ path: String, _ role: Role) throws(PublishingError) -> PrivateKey {
    let file: (role: String, key: PrivateKey)
    do throws(CryptographyError) {
      file = try KeyFile.readPrivate(path)
    } catch {
      throw .cryptography(error)
    }
    guard file.role == role.rawValue else {
      throw .wrongKeyRole(path: path, expected: role, actual: file.role)
    }
    return file.key
  }
}
