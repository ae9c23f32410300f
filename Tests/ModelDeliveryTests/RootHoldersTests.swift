import Cryptography
import DeliveryTestSupport
import ModelDelivery
import Publishing
import SignedDocuments
import TestSupport
import Testing

/// A fleet whose root went from one key to two of three holders.
private struct HeldFleet {
  let directory = TemporaryDirectory("holders")
  let first: TestFleet
  let holders: [PrivateKey]

  init() throws {
    first = TestFleet()
    let path = directory.path
    try first.keys.write(to: path + "/1")
    holders = try (0..<3).map { i in
      let path = "\(path)/holder-\(i)"
      _ = try KeyDirectory.writeHolder(to: path)
      return try PublisherKeys.read(path + "/root.key", .root)
    }
  }

  var publicFiles: [String] { (0..<3).map { "\(directory.path)/holder-\($0)/root.pub" } }

  /// The second root document, signed by the first root's key alone.
  func handOver() throws -> RootSigning {
    let holders = try RootHolders(files: publicFiles, threshold: 2)
    return try RootRotation(roles: [], expires: TestFleet.expires, holders: holders)
      .rotate(directory.path + "/1", into: directory.path + "/2")
  }

  /// Passes the document in `/2` among holders as they would: by its file.
  func pass(_ name: String, former: TrustedRoot, _ signers: [Int]) throws -> RootSigning {
    let path = "\(directory.path)/\(name)/root.cose"
    for i in signers {
      var signing = try RootSigning(readFile(path), former: former)
      try signing.sign(with: holders[i])
      try replaceFile(path, signing.message)
    }
    return try RootSigning(readFile(path), former: former)
  }
}

@Suite("Root held by several")
struct RootHoldersTests {
  @Test("is taken only when the thresholds of the old root and of the new have signed")
  func thresholds() throws {
    let fleet = try HeldFleet()
    let begun = try fleet.handOver()
    #expect(begun.formerCount == .init(valid: 1, needed: 1))
    #expect(begun.ownCount == .init(valid: 0, needed: 2) && !begun.isComplete)
    #expect(throws: DocumentError.notEnoughSignatures(role: .root, needed: 2, valid: 0)) {
      try fleet.first.trustedRoot.updated(by: begun.message)
    }
    let one = try fleet.pass("2", former: fleet.first.trustedRoot, [2])
    #expect(throws: DocumentError.notEnoughSignatures(role: .root, needed: 2, valid: 1)) {
      try fleet.first.trustedRoot.updated(by: one.message)
    }
    #expect(throws: PublishingError.self) {
      try PublisherKeys(directory: fleet.directory.path + "/2")
    }
    let two = try fleet.pass("2", former: fleet.first.trustedRoot, [0])
    #expect(two.isComplete)
    let second = try fleet.first.trustedRoot.updated(by: two.message)
    #expect(try PublisherKeys(directory: fleet.directory.path + "/2").trustedRoot == second)
    // The root has left the directory, and nobody can sign alone any more.
    _ = try RootRotation(roles: [.director], expires: TestFleet.expires)
      .rotate(fleet.directory.path + "/2", into: fleet.directory.path + "/3")
    let alone = try fleet.pass("3", former: second, [1])
    #expect(alone.formerCount == .init(valid: 1, needed: 2))
    #expect(throws: DocumentError.notEnoughSignatures(role: .root, needed: 2, valid: 1)) {
      try second.updated(by: alone.message)
    }
    let third = try second.updated(by: fleet.pass("3", former: second, [0]).message)
    #expect(third.document.version == 3)
    let keys = try PublisherKeys(directory: fleet.directory.path + "/3")
    #expect(keys.formerRoots.map(\.document.version) == [1, 2])
  }

  @Test("new holders without the old root's, and old without the new, are nothing to a device")
  func bothSides() throws {
    let fleet = try HeldFleet()
    let document = try fleet.handOver().document
    let first = fleet.first.keys.root
    let delivery = Delivery(
      DeviceProfile(
        device: "device-1", models: ["digits"], root: fleet.first.trustedRoot, agent: "1.0.0",
        architecture: "x86_64", memoryBudget: 1 << 20, seed: 1), record: nil)
    let topic = Topic.root(fleet: fleet.first.name, version: 2).name
    let now = DeliveryTime(milliseconds: 0, wallSeconds: TestFleet.now)
    func version(_ keys: [PrivateKey]) throws -> Int64 {
      var delivery = delivery
      _ = delivery.handle(.connected, now: now)
      let message = try SignedMessage(role: .root, payload: document.encode(), keys: keys)
      _ = delivery.handle(.message(topic: topic, payload: message.encode()), now: now)
      return delivery.rootVersion
    }
    let stranger = try PrivateKey.generate()
    for keys in [
      [], [first], fleet.holders, [fleet.holders[0], fleet.holders[1]],
      [first, fleet.holders[0]], [first, fleet.holders[0], fleet.holders[0]],
      [first, fleet.holders[0], stranger], [fleet.first.keys.director, fleet.first.keys.release],
    ] {
      #expect(try version(keys) == 1)
    }
    #expect(try version([first, fleet.holders[2], fleet.holders[0]]) == 2)
  }

  @Test("is signed by each holder once, and by nobody else")
  func signers() throws {
    let fleet = try HeldFleet()
    var signing = try fleet.handOver()
    try signing.sign(with: fleet.holders[0])
    #expect(throws: PublishingError.signedAlready) { try signing.sign(with: fleet.holders[0]) }
    #expect(throws: PublishingError.signedAlready) { try signing.sign(with: fleet.first.keys.root) }
    #expect(throws: PublishingError.notAHolder) { try signing.sign(with: .generate()) }
    // What was passed on is read only for the root that it follows.
    #expect(
      throws: PublishingError.document(.wrongRootVersion(expected: 1, actual: 2))
    ) { try RootSigning(signing.message, former: nil) }
    let other = TestFleet(name: "another")
    #expect(
      throws: PublishingError.document(.wrongFleet(expected: "another", actual: fleet.first.name))
    ) { try RootSigning(signing.message, former: other.trustedRoot) }
  }

  @Test("needs holders that can reach the threshold, named when they change")
  func named() throws {
    let fleet = try HeldFleet()
    let keys = fleet.holders.map(\.publicKey)
    for (keys, threshold) in [(keys, 0), (keys, 4), ([], 1), (keys + keys, 2)] {
      #expect(throws: PublishingError.self) { try RootHolders(keys, threshold: threshold) }
    }
    #expect(throws: PublishingError.self) {
      try RootHolders(files: [fleet.directory.path + "/1/release.pub"], threshold: 1)
    }
    _ = try fleet.handOver()
    _ = try fleet.pass("2", former: fleet.first.trustedRoot, [0, 1])
    #expect(throws: PublishingError.rootHoldersUnnamed(count: 3)) {
      try RootRotation(roles: [.root], expires: TestFleet.expires)
        .rotate(fleet.directory.path + "/2", into: fleet.directory.path + "/3")
    }
  }

  @Test("can be a fleet's from its first document on")
  func firstDocument() throws {
    let fleet = try HeldFleet()
    let path = fleet.directory.path + "/held"
    let begun = try FleetKeys.generate(
      fleet: "held", expires: TestFleet.expires,
      holders: RootHolders(files: fleet.publicFiles, threshold: 2), to: path)
    #expect(begun.formerCount == nil && !begun.isComplete)
    #expect(throws: PublishingError.self) { try PublisherKeys(directory: path) }
    for i in [1, 2] {
      var signing = try RootSigning(readFile(path + "/root.cose"), former: nil)
      try signing.sign(with: fleet.holders[i])
      try replaceFile(path + "/root.cose", signing.message)
    }
    #expect(try PublisherKeys(directory: path).trustedRoot.document.threshold(of: .root) == 2)
  }
}
