import Cryptography
import DeliveryTestSupport
import ModelDelivery
import Publishing
import SignedDocuments
import TestSupport
import Testing

@Suite("Root rotation")
struct RootRotationTests {
  private let expires = TestFleet.expires

  @Test("a device that trusts the first root walks to the third, and back to none")
  func walk() throws {
    let directory = TemporaryDirectory("rotation")
    let first = try FleetKeys.generate(fleet: "demo", expires: expires)
    try first.write(to: directory.path + "/1")
    let second = try RootRotation(roles: [.root, .director], expires: expires)
      .rotate(directory.path + "/1", into: directory.path + "/2")
    let third = try RootRotation(roles: [.release], expires: expires)
      .rotate(directory.path + "/2", into: directory.path + "/3")
    #expect(second.isComplete && third.isComplete)
    let walked = try first.trustedRoot.updated(by: second.message).updated(by: third.message)
    #expect(walked.message == third.message && walked.document.version == 3)
    #expect(throws: DocumentError.self) { try first.trustedRoot.updated(by: third.message) }
    let former = try PublisherKeys(directory: directory.path + "/2")
    #expect(former.release.publicKey == first.release.publicKey)
    #expect(former.director.publicKey != first.director.publicKey)
    let keys = try PublisherKeys(directory: directory.path + "/3")
    #expect(keys.formerRoots == [first.trustedRoot, former.trustedRoot])
  }

  @Test("keys of another fleet's root do not follow")
  func foreign() throws {
    let directory = TemporaryDirectory("rotation")
    let first = try FleetKeys.generate(fleet: "demo", expires: expires)
    try FleetKeys.generate(fleet: "demo", expires: expires).write(to: directory.path + "/other")
    let next = try RootRotation(roles: [.director], expires: expires)
      .rotate(directory.path + "/other", into: directory.path + "/next")
    #expect(throws: DocumentError.notEnoughSignatures(role: .root, needed: 1, valid: 0)) {
      try first.trustedRoot.updated(by: next.message)
    }
  }

  @Test("a stolen director key that counted to the end is rotated away, and numbers start anew")
  func fastForward() throws {
    let directory = TemporaryDirectory("rotation")
    let first = TestFleet()
    try first.keys.write(to: directory.path + "/1")
    _ = try RootRotation(roles: [.director], expires: expires)
      .rotate(directory.path + "/1", into: directory.path + "/2")
    let rotated = try PublisherKeys(directory: directory.path + "/2")
    let release = try first.release(first.bundle(model: [1, 2, 3]), version: 1)
    var delivery = Delivery(
      DeviceProfile(
        device: "device-1", models: ["digits"], root: first.trustedRoot, agent: "1.0.0",
        architecture: "x86_64", memoryBudget: 1 << 20, seed: 1), record: nil)
    let now = DeliveryTime(milliseconds: 0, wallSeconds: TestFleet.now)
    _ = delivery.handle(.connected, now: now)
    func hear(_ topic: Topic, _ payload: [UInt8]) {
      _ = delivery.handle(.message(topic: topic.name, payload: payload), now: now)
    }
    let topic = Topic.director(fleet: first.name, model: "digits")
    hear(topic, try first.sign(first.director(release, sequence: .max)))
    #expect(delivery.statuses(now: now)[0].directorSequence == .max)
    hear(.root(fleet: first.name, version: 2), rotated.trustedRoot.message)
    #expect(delivery.rootVersion == 2)
    var next = first.director(release, sequence: 1)
    next.rootVersion = 2
    hear(topic, try next.signed(by: rotated))
    #expect(delivery.statuses(now: now)[0].directorSequence == 1)
    // What the stolen key signs is nothing any more.
    hear(topic, try first.sign(first.director(release, sequence: 7)))
    #expect(delivery.statuses(now: now)[0].directorSequence == 1)
    #expect(delivery.statuses(now: now)[0].cause == .signature)
  }
}
