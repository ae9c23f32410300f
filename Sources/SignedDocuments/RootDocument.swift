import ByteParsing
package import Cryptography

/// Which keys a fleet trusts, and for what.
package struct RootDocument: Sendable, Equatable {
  /// The fleet's name.
  package var fleet: String
  /// 1 for the first; each update adds one.
  package var version: Int64
  /// Seconds since 1970.
  package var expires: Int64
  /// All keys that roles name.
  package var keys: [PublicKey]
  /// The keys and the threshold of each role.
  package var roles: [Role: RoleKeys]

  /// The keys of one role.
  package struct RoleKeys: Sendable, Equatable {
    /// Identifiers of keys of the same document, without repetition.
    package var keyIdentifiers: [[UInt8]]
    /// How many of them must sign.
    package var threshold: Int

    package init(keyIdentifiers: [[UInt8]], threshold: Int) {
      self.keyIdentifiers = keyIdentifiers
      self.threshold = threshold
    }
  }

  package init(
    fleet: String, version: Int64, expires: Int64, keys: [PublicKey], roles: [Role: RoleKeys]
  ) {
    self.fleet = fleet
    self.version = version
    self.expires = expires
    self.keys = keys
    self.roles = roles
  }

  /// The keys of `role`.
  package func keys(of role: Role) -> [PublicKey] {
    let wanted = roles[role]?.keyIdentifiers ?? []
    return keys.filter { wanted.contains($0.identifier) }
  }

  /// The threshold of `role`.
  package func threshold(of role: Role) -> Int { roles[role]?.threshold ?? Int.max }

  /// The document's bytes, which a message carries as its payload.
  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.text(1, fleet)
      map.unsigned(2, version)
      map.unsigned(3, expires)
      map.field(4) { writer in
        writer.array(keys) { writer, key in
          writer.map { map in
            map.byteString(1, key.identifier)
            map.byteString(2, key.bytes)
          }
        }
      }
      map.field(5) { writer in
        writer.map { map in
          for role in Role.allCases {
            guard let roleKeys = roles[role] else { continue }
            map.field(role.code) { writer in
              writer.map { map in
                map.field(1) { $0.array(roleKeys.keyIdentifiers) { $0.byteString($1) } }
                map.unsigned(2, Int64(roleKeys.threshold))
              }
            }
          }
        }
      }
    }
    return writer.bytes
  }

  /// The document in `payload`, checked in itself; whether it is trusted is `TrustedRoot`'s matter.
  package static func decode(_ payload: [UInt8]) throws(DocumentError) -> RootDocument {
    var claimedIdentifiers: [[UInt8]] = []
    let document = try readDocument(payload) { (reader) throws(CBORError) -> RootDocument in
      let fleet = try reader.text(1, maximum: DocumentLimits.tokenBytes)
      let version = try reader.integer(2, in: positive)
      let expires = try reader.integer(3, in: DocumentLimits.time)
      try reader.require(4)
      let keys = try reader.array(maximum: DocumentLimits.keys) {
        (item) throws(CBORError) -> PublicKey in
        try item.map { (item) throws(CBORError) in
          try item.require(1)
          claimedIdentifiers.append(try item.byteString(count: PublicKey.identifierByteCount))
          try item.require(2)
          let start = item.offset
          let bytes = try item.byteString(count: PublicKey.byteCount)
          guard let key = try? PublicKey(bytes) else { throw .outOfRange(offset: start) }
          return key
        }
      }
      try reader.require(5)
      let roles = try reader.map { (item) throws(CBORError) -> [Role: RoleKeys] in
        var roles: [Role: RoleKeys] = [:]
        for role in Role.allCases {
          try item.require(role.code)
          roles[role] = try item.map(readRoleKeys)
        }
        return roles
      }
      return RootDocument(
        fleet: fleet, version: version, expires: expires, keys: keys, roles: roles)
    }
    try document.validate(claimedIdentifiers)
    return document
  }

  private static func readRoleKeys(_ item: inout CBORReader) throws(CBORError) -> RoleKeys {
    try item.require(1)
    let identifiers = try item.array(maximum: DocumentLimits.keys) {
      (item) throws(CBORError) in
      try item.byteString(count: PublicKey.identifierByteCount)
    }
    let threshold = try item.integer(2, in: 1...Int64(DocumentLimits.keys))
    return RoleKeys(keyIdentifiers: identifiers, threshold: Int(threshold))
  }

  private func validate(_ claimedIdentifiers: [[UInt8]]) throws(DocumentError) {
    guard Token.isValid(fleet) else { throw .invalid(.fleet) }
    guard keys.map(\.identifier) == claimedIdentifiers else { throw .invalid(.keyIdentifier) }
    guard Set(claimedIdentifiers).count == keys.count else { throw .invalid(.keys) }
    for role in roles.values {
      guard Set(role.keyIdentifiers).count == role.keyIdentifiers.count,
        role.keyIdentifiers.allSatisfy(claimedIdentifiers.contains)
      else { throw .invalid(.roles) }
      guard role.threshold <= role.keyIdentifiers.count else { throw .invalid(.threshold) }
    }
  }
}
