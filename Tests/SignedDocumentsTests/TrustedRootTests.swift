import Cryptography
import DeliveryTestSupport
import ModelBundle
import Publishing
import SignedDocuments
import TestSupport
import Testing

@Suite("Trusted root")
struct TrustedRootTests {
  let fleet = TestFleet()

  private func release(version: Int64 = 1) throws -> SignedRelease {
    try fleet.release(
      fleet.bundle(model: [UInt8](repeating: 1, count: 1000)), version: version)
  }

  @Test("believes releases and director documents that its keys signed")
  func acceptance() throws {
    let release = try release()
    let director = fleet.director(release, sequence: 4)
    let root = fleet.trustedRoot
    let read = try root.verify(
      director: fleet.sign(director), model: "digits", now: TestFleet.now)
    #expect(read == director)
    #expect(
      try root.verify(
        release: release.message, named: read.target, model: "digits", now: TestFleet.now)
        == release.document)
  }

  @Test("refuses a release with any one bit changed")
  func everyBit() throws {
    let message = try release().message
    let root = fleet.trustedRoot
    var accepted: [Int] = []
    for bit in 0..<message.count * 8 {
      var changed = message
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      let release = try? root.verify(release: changed, model: "digits", now: TestFleet.now)
      if release != nil { accepted.append(bit) }
    }
    #expect(accepted == [])
  }

  @Test("refuses 20,000 mutations of a release and of a director document")
  func fuzz() throws {
    let release = try release()
    let director = try fleet.sign(fleet.director(release, sequence: 1))
    var random = SplitMix64(seed: 0x516)
    let root = fleet.trustedRoot
    var accepted = 0
    for _ in 0..<20_000 {
      let first = release.message.mutated(using: &random)
      let second = director.mutated(using: &random)
      if first != release.message,
        (try? root.verify(release: first, model: "digits", now: TestFleet.now)) != nil
      {
        accepted += 1
      }
      if second != director,
        (try? root.verify(director: second, model: "digits", now: TestFleet.now)) != nil
      {
        accepted += 1
      }
    }
    #expect(accepted == 0)
  }

  @Test("refuses a release that another key signed: the director's, the root's, a stranger's")
  func wrongKeys() throws {
    let document = try release().document
    for key in [fleet.keys.director, fleet.keys.root, try PrivateKey.generate()] {
      let message = try fleet.sign(document, key: key)
      #expect(throws: DocumentError.notEnoughSignatures(role: .release, needed: 1, valid: 0)) {
        try fleet.trustedRoot.verify(release: message, model: "digits", now: TestFleet.now)
      }
    }
  }

  @Test("takes no document for another role's")
  func roles() throws {
    let release = try release()
    #expect(throws: DocumentError.wrongHeader(expected: .director)) {
      try fleet.trustedRoot.verify(
        director: release.message, model: "digits", now: TestFleet.now)
    }
    #expect(throws: DocumentError.wrongHeader(expected: .root)) {
      try TrustedRoot(trusting: release.message)
    }
  }

  @Test("refuses what is another fleet's, another model's, over, or not the one that was named")
  func context() throws {
    let release = try release()
    let now = TestFleet.now
    let other = TestFleet(name: "other")
    #expect(throws: DocumentError.wrongModel(expected: "faces", actual: "digits")) {
      try fleet.trustedRoot.verify(release: release.message, model: "faces", now: now)
    }
    var foreign = release.document
    foreign.fleet = "other"
    let signed = try fleet.sign(foreign, key: fleet.keys.release)
    #expect(throws: DocumentError.wrongFleet(expected: "test-fleet", actual: "other")) {
      try fleet.trustedRoot.verify(release: signed, model: "digits", now: now)
    }
    #expect(throws: DocumentError.notEnoughSignatures(role: .release, needed: 1, valid: 0)) {
      try other.trustedRoot.verify(release: release.message, model: "digits", now: now)
    }
    #expect(throws: DocumentError.self) {
      try fleet.trustedRoot.verify(
        release: release.message, model: "digits", now: TestFleet.expires)
    }
    let next = try self.release(version: 2)
    #expect(throws: DocumentError.wrongRelease(expected: 2, actual: 1)) {
      try fleet.trustedRoot.verify(
        release: release.message, named: next.reference, model: "digits", now: now)
    }
  }

  @Test("tells the expiry of a director document at its second, and still reads it for its number")
  func expiry() throws {
    let director = fleet.director(try release(), sequence: 3, expires: TestFleet.now + 10)
    let message = try fleet.sign(director)
    let root = fleet.trustedRoot
    #expect(
      try root.verify(director: message, model: "digits", now: TestFleet.now + 9) == director)
    #expect(
      throws: DocumentError.expired(
        role: .director, expires: TestFleet.now + 10, now: TestFleet.now + 10)
    ) { try root.verify(director: message, model: "digits", now: TestFleet.now + 10) }
    #expect(try root.authenticate(director: message, model: "digits") == director)
  }

  @Test("refuses a message above 32 KiB before it reads it")
  func tooLarge() {
    #expect(throws: DocumentError.tooLarge(limit: 32_768, actual: 32_769)) {
      try fleet.trustedRoot.verify(
        release: [UInt8](repeating: 0, count: 32_769), model: "digits", now: TestFleet.now)
    }
  }
}

@Suite("Root updates")
struct RootUpdateTests {
  let old = [Samples.key(1), Samples.key(11), Samples.key(12)]
  let new = [Samples.key(21), Samples.key(22)]

  private func trusted() throws -> TrustedRoot {
    try TrustedRoot(
      trusting: Samples.message(Samples.root(root: old, threshold: 2), Array(old[0...1])))
  }

  private func next(_ version: Int64 = 2, fleet: String = "fleet") -> RootDocument {
    Samples.root(fleet: fleet, version: version, root: new, threshold: 2)
  }

  @Test("need the thresholds of the old and of the new keys")
  func thresholds() throws {
    let trusted = try trusted()
    let both = try Samples.message(next(), Array(old[1...2]) + new)
    #expect(try trusted.updated(by: both).document == next())
    let short: [(keys: [PrivateKey], valid: Int)] = [
      (new, 0), (Array(old[0...0]) + new, 1), (old, 0), (Array(old[0...1]) + [new[0]], 1),
    ]
    for (keys, valid) in short {
      let message = try Samples.message(next(), keys)
      #expect(throws: DocumentError.notEnoughSignatures(role: .root, needed: 2, valid: valid)) {
        try trusted.updated(by: message)
      }
    }
  }

  @Test("count a key once, however often it signs")
  func repetition() throws {
    let message = try Samples.message(next(), [old[0], old[0]] + new)
    #expect(throws: DocumentError.notEnoughSignatures(role: .root, needed: 2, valid: 1)) {
      try trusted().updated(by: message)
    }
  }

  @Test("go one version up, never down, on the spot or two at once", arguments: [Int64(1), 3, 100])
  func versions(version: Int64) throws {
    let message = try Samples.message(next(version), old + new)
    #expect(throws: DocumentError.wrongRootVersion(expected: 2, actual: version)) {
      try trusted().updated(by: message)
    }
  }

  @Test("stay in the fleet")
  func fleets() throws {
    let message = try Samples.message(next(fleet: "other"), old + new)
    #expect(throws: DocumentError.wrongFleet(expected: "fleet", actual: "other")) {
      try trusted().updated(by: message)
    }
  }

  @Test("take their keys out of use")
  func rotation() throws {
    var document = next()
    document.keys[2] = Samples.key(30).publicKey
    document.roles[.release] = .init(
      keyIdentifiers: [document.keys[2].identifier], threshold: 1)
    let updated = try trusted().updated(by: Samples.message(document, old + new))
    let release = Samples.release
    let message = try SignedMessage(
      role: .release, payload: release.encode(), keys: [Samples.key(2)]).encode()
    #expect(try trusted().verify(release: message, model: "digits", now: Samples.now) == release)
    #expect(throws: DocumentError.notEnoughSignatures(role: .release, needed: 1, valid: 0)) {
      try updated.verify(release: message, model: "digits", now: Samples.now)
    }
  }

  @Test("need not be in time, so that a device that slept can catch up")
  func expiry() throws {
    let trusted = try trusted()
    #expect(throws: DocumentError.self) { try trusted.checkExpiry(now: Samples.now + 1000) }
    #expect(throws: Never.self) { try trusted.updated(by: Samples.message(next(), old + new)) }
  }
}
