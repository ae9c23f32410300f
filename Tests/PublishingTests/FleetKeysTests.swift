import Cryptography
import DeliveryTestSupport
import ModelBundle
import Publishing
import SignedDocuments
import TestSupport
import Testing

@Suite("Fleet keys")
struct FleetKeysTests {
  @Test("come back from their directory, and are trusted by the root document there")
  func roundTrip() throws {
    let directory = TemporaryDirectory()
    let keys = try FleetKeys.generate(fleet: "demo", expires: TestFleet.expires)
    try keys.write(to: directory.path + "/keys")
    let read = try PublisherKeys(directory: directory.path + "/keys")
    #expect(read.trustedRoot == keys.trustedRoot)
    #expect(read.release.publicKey == keys.release.publicKey)
    #expect(read.director.publicKey == keys.director.publicKey)
  }

  @Test("are never overwritten", arguments: KeyDirectory.fileNames)
  func overwriting(name: String) throws {
    let directory = TemporaryDirectory()
    directory.write(name, "")
    let keys = try FleetKeys.generate(fleet: "demo", expires: TestFleet.expires)
    #expect(throws: PublishingError.fileExists(path: "\(directory.path)/\(name)")) {
      try keys.write(to: directory.path)
    }
  }

  @Test("of another fleet are refused beside this root document")
  func mixture() throws {
    let directory = TemporaryDirectory()
    let keys = try FleetKeys.generate(fleet: "demo", expires: TestFleet.expires)
    try KeyFile.write(keys.release, role: "release", to: "\(directory.path)/release.key")
    try KeyFile.write(try PrivateKey.generate(), role: "director", to: "\(directory.path)/director.key")
    try writeNewFile("\(directory.path)/root.cose", keys.trustedRoot.message)
    #expect(throws: PublishingError.keyNotTrusted(role: .director)) {
      try PublisherKeys(directory: directory.path)
    }
  }

  @Test("are not read for another role")
  func wrongRole() throws {
    let directory = TemporaryDirectory()
    let path = "\(directory.path)/release.key"
    try KeyFile.write(try PrivateKey.generate(), role: "root", to: path)
    #expect(
      throws: PublishingError.wrongKeyRole(path: path, expected: .release, actual: "root")
    ) { try PublisherKeys(directory: directory.path) }
  }

  @Test("need a fleet's name that can stand in a topic", arguments: ["", "a/b", "a b", "ü", "#"])
  func name(fleet: String) {
    #expect(throws: PublishingError.invalidName(fleet)) {
      try FleetKeys.generate(fleet: fleet, expires: TestFleet.expires)
    }
  }
}

@Suite("Signed releases")
struct SignedReleaseTests {
  @Test("are equal for equal input, with another version's message different")
  func determinism() throws {
    let fleet = TestFleet()
    let bundle = try fleet.bundle(model: [UInt8](repeating: 5, count: 200_000))
    let first = try fleet.release(bundle, version: 1)
    let second = try fleet.release(bundle, version: 1)
    #expect(first.message == second.message)
    #expect(first.object.blocks == second.object.blocks)
    #expect(try fleet.release(bundle, version: 2).message != first.message)
  }
}
