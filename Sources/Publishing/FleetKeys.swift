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
    guard let holders = try? RootHolders([root.publicKey], threshold: 1) else {
      preconditionFailure("one key is a holder")
    }
    let document = RootDocument(
      fleet: fleet, version: 1, expires: expires, holders: holders, release: release.publicKey,
      director: director.publicKey)
    let message = try SignedMessage(role: .root, payload: document.encode(), keys: [root])
    guard let trusted = try? TrustedRoot(trusting: message.encode()) else {
      preconditionFailure("three distinct keys and a valid name make a valid root document")
    }
    self.root = root
    self.release = release
    self.director = director
    trustedRoot = trusted
  }

  /// Writes `root.key`, `release.key`, `director.key`, their `.pub` halves and `root.cose` into
  /// `directory`, which is made when it is missing; refuses when any of them exists.
  package func write(to directory: String) throws(PublishingError) {
    try KeyDirectory.write(
      to: directory, root: root, release: release, director: director,
      rootMessage: trustedRoot.message)
  }

  /// Makes the keys of a fleet whose root keys others hold, and writes them to `directory` as
  /// `write(to:)`.
  ///
  /// - Returns: the first root document, which the holders have yet to sign.
  package static func generate(
    fleet: String, expires: Int64, holders: RootHolders, to directory: String
  ) throws(PublishingError) -> RootSigning {
    guard Token.isValid(fleet) else { throw .invalidName(fleet) }
    let (release, director): (PrivateKey, PrivateKey)
    do throws(CryptographyError) { (release, director) = (try .generate(), try .generate()) } catch {
      throw .cryptography(error)
    }
    let signing = RootSigning(
      RootDocument(
        fleet: fleet, version: 1, expires: expires, holders: holders, release: release.publicKey,
        director: director.publicKey), former: nil)
    try KeyDirectory.write(
      to: directory, root: nil, release: release, director: director,
      rootMessage: signing.message)
    return signing
  }
}

/// The files of a fleet's keys.
package enum KeyDirectory {
  /// The names of the files that may be in one.
  package static let fileNames =
    Role.allCases.flatMap { ["\($0.rawValue).key", "\($0.rawValue).pub"] } + ["root.cose"]

  /// Writes the keys that are given, their public halves and the root document into `directory`,
  /// which is made when it is missing; refuses when any file of a fleet's keys exists there.
  static func write(
    to directory: String, root: PrivateKey?, release: PrivateKey, director: PrivateKey,
    rootMessage: [UInt8]
  ) throws(PublishingError) {
    try makeDirectory(directory)
    for name in fileNames where fileExists("\(directory)/\(name)") {
      throw .fileExists(path: "\(directory)/\(name)")
    }
    if let root { try write(root, .root, to: directory) }
    try write(release, .release, to: directory)
    try write(director, .director, to: directory)
    try writeNewFile("\(directory)/root.cose", rootMessage)
  }

  /// Makes one holder's root key, and writes both halves into `directory`.
  package static func writeHolder(to directory: String) throws(PublishingError) -> PublicKey {
    try makeDirectory(directory)
    let key: PrivateKey
    do throws(CryptographyError) { key = try .generate() } catch { throw .cryptography(error) }
    try write(key, .root, to: directory)
    return key.publicKey
  }

  private static func write(_ key: PrivateKey, _ role: Role, to directory: String)
    throws(PublishingError)
  {
    let path = "\(directory)/\(role.rawValue)"
    do throws(CryptographyError) {
      try KeyFile.write(key, role: role.rawValue, to: path + ".key")
      try KeyFile.write(key.publicKey, role: role.rawValue, to: path + ".pub")
    } catch {
      throw .cryptography(error)
    }
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
    formerRoots = try RootHistory.read(directory)
    do throws(DocumentError) {
      let root = try TrustedRoot(trusting: message)
      // Devices that have the root before this one ask for its threshold too.
      if let former = formerRoots.last, former.document.version + 1 == root.document.version {
        _ = try former.updated(by: message)
      }
      trustedRoot = root
    } catch {
      throw .document(error)
    }
    for (role, key) in [(Role.release, release), (.director, director)] {
      guard trustedRoot.document.keys(of: role).contains(key.publicKey) else {
        throw .keyNotTrusted(role: role)
      }
    }
  }

  /// The private key of `role` in the file at `path`.
  package static func read(_ path: String, _ role: Role) throws(PublishingError) -> PrivateKey {
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
