import ByteParsing
package import Cryptography
package import ModelBundle
package import Publishing
package import SignedDocuments

/// A fleet whose keys follow from a seed, with the documents and objects that its publisher would
/// make, all in memory.
package struct TestFleet: Sendable {
  /// Seconds since 1970 at which everything is made.
  package static let now: Int64 = 1_800_000_000
  /// Seconds since 1970 at which everything ends unless told otherwise.
  package static let expires: Int64 = now + 86_400

  package let name: String
  package let keys: FleetKeys
  /// The part of the keys that publishes.
  package var publisherKeys: PublisherKeys { PublisherKeys(keys) }
  /// The root document of version 1, as a device is given it.
  package var trustedRoot: TrustedRoot { keys.trustedRoot }

  package init(name: String = "test-fleet", seed: UInt8 = 1, expires: Int64 = expires) {
    func key(_ role: UInt8) throws(CryptographyError) -> PrivateKey {
      try PrivateKey(seed: SHA256.hash([seed, role] + Array(name.utf8)).bytes)
    }
    self.name = name
    do throws(CryptographyError) {
      keys = try FleetKeys(fleet: name, expires: expires, key(1), key(2), key(3))
    } catch {
      fatalError("a seed of 32 bytes is a key")
    }
  }

  /// A bundle around `model`, which need not be a model.
  package func bundle(
    model: [UInt8], name: String = "digits", labels: [String] = ["zero", "one"],
    golden: GoldenVectors? = nil, peakBytes: Int64? = nil
  ) throws(BundleError) -> Bundle {
    let contents = BundleContents(
      modelName: name, model: model, labels: labels, golden: golden, peakBytes: peakBytes)
    return try Bundle(ByteView(contents.encode()))
  }

  /// A signed release of `bundle`.
  package func release(
    _ bundle: Bundle, version: Int64, model: String = "digits", created: Int64 = now,
    expires: Int64 = expires, securityFloor: Int64 = 0, level: Int = 3, bases: [Bundle] = []
  ) throws(PublishingError) -> SignedRelease {
    try SignedRelease(
      bundle, model: model,
      options: .init(
        version: version, created: created, expires: expires, securityFloor: securityFloor,
        level: level, bases: bases),
      keys: publisherKeys)
  }

  /// A director document that wants `release`.
  package func director(
    _ release: SignedRelease, sequence: Int64, issued: Int64 = now, expires: Int64 = expires
  ) -> DirectorDocument {
    DirectorDocument(
      fleet: name, model: release.document.model,
      rootVersion: trustedRoot.document.version, sequence: sequence, issued: issued,
      expires: expires, target: release.reference)
  }

  /// The message of `document`, signed by this fleet's director key.
  package func sign(_ document: DirectorDocument) throws(PublishingError) -> [UInt8] {
    try document.signed(by: publisherKeys)
  }

  /// The message of `document`, signed by `key` whatever its role.
  package func sign(_ document: ReleaseDocument, key: PrivateKey) throws(CryptographyError)
    -> [UInt8]
  {
    try SignedMessage(role: .release, payload: document.encode(), keys: [key]).encode()
  }

  /// Everything that the broker would hold for `release`, by topic.
  package func retained(_ release: SignedRelease) -> [Topic: [UInt8]] {
    var topics: [Topic: [UInt8]] = [
      .root(fleet: name, version: trustedRoot.document.version): trustedRoot.message,
      .release(
        fleet: name, model: release.document.model, sequence: release.document.sequence):
        release.message,
    ]
    for object in [release.object] + release.deltas {
      topics.merge(retained(object)) { $1 }
    }
    return topics
  }

  /// What the broker would hold of an object, by topic.
  package func retained(_ object: EncodedObject) -> [Topic: [UInt8]] {
    let objectID = object.index.objectID
    var topics: [Topic: [UInt8]] = [
      .index(fleet: name, objectID: objectID): object.index.bytes,
      .seal(fleet: name, objectID: objectID): object.index.seal,
    ]
    for (i, block) in object.blocks.enumerated() where !ObjectIndex.isCopy(block) {
      topics[.block(fleet: name, objectID: objectID, block: i)] = block
    }
    return topics
  }
}
