import Cryptography
import DeliveryTestSupport
import Glibc
import MQTT
import ModelBundle
import ModelDelivery
import Publishing
import SignedDocuments
import TestSupport
import Testing

@testable import Agent

@Suite("Sources of a delivery", .serialized)
struct SourceTests {
  /// Writes what a broker would hold of `release` to a file of a mirror, changed by `change`.
  private func mirror(
    _ harness: DeliveryHarness, _ release: SignedRelease,
    _ change: (inout [(topic: String, payload: [UInt8])]) -> Void = { _ in }
  ) throws -> String {
    let directory = harness.directory.path + "/mirror"
    unsafe mkdir(directory, 0o700)
    var messages = harness.fleet.retained(release).map { (topic: $0.key.name, payload: $0.value) }
    change(&messages)
    let bytes =
      ArchiveFormat.magic + messages.flatMap { ArchiveFormat.encode($0.topic, $0.payload) }
      + ArchiveFormat.end
    try replaceFile("\(directory)/\(release.document.sequence).release", bytes)
    return directory
  }

  @Test("row 6: blocks come from a mirror that has them, and the broker sends none")
  func mirrored() throws {
    let harness = try DeliveryHarness()
    let release = try harness.release(1, blocks: 12)
    harness.mirror = try mirror(harness, release)
    try harness.publish(harness.fleet.retained(release))
    try harness.start()
    try harness.publish(try harness.director(release, 1))
    harness.waitForCommit(1)
    #expect(harness.blocksSent(release).allSatisfy { $0 == 0 })
  }

  @Test("row 6: a mirror that serves garbage is left for the broker, which is believed")
  func badMirror() throws {
    let harness = try DeliveryHarness()
    let release = try harness.release(1, blocks: 12)
    harness.mirror = try mirror(harness, release) { messages in
      for i in messages.indices where messages[i].topic == harness.block(release, 3).name {
        messages[i].payload[500] ^= 1
      }
    }
    try harness.publish(harness.fleet.retained(release))
    try harness.start()
    try harness.publish(try harness.director(release, 1))
    harness.waitForCommit(1)
    let sent = harness.blocksSent(release)
    #expect(sent[3] == 1 && sent.allSatisfy { $0 <= 1 })
    #expect(harness.stored(1) == release.document.bundleSHA256)
  }

  @Test("a broker that does not take the device is told apart from one that does not answer")
  func refused() throws {
    let directory = TemporaryDirectory("password")
    directory.write("passwords", "")
    let harness = try DeliveryHarness(
      extra: ["allow_anonymous false", "password_file \(directory.path)/passwords"])
    harness.credentials = ("device-1", "wrong")
    try harness.start()
    let refused = harness.wait { $0.cause == Cause.brokerRefused.rawValue }
    #expect(refused?.connected == false)
    harness.broker.kill()
    #expect(harness.wait { $0.cause == Cause.brokerUnreachable.rawValue } != nil)
  }

  @Test("what the access list keeps from a device is a cause of its own, and ends with it")
  func accessList() throws {
    let directory = TemporaryDirectory("access")
    let list = "topic read es/1/#\n"
    directory.write("acl", list)
    let harness = try DeliveryHarness(extra: ["acl_file \(directory.path)/acl"])
    try harness.start()
    #expect(harness.wait { $0.cause == Cause.notAuthorized.rawValue }?.connected == true)
    directory.write("acl", list + "topic write es/1/#\n")
    try harness.restartBroker()
    #expect(harness.wait { $0.connected && $0.cause == nil } != nil)
  }

  @Test("a broker that knows MQTT 3.1.1 alone delivers as well")
  func olderBroker() throws {
    let harness = try DeliveryHarness()
    let older = try OlderBroker(before: harness.broker, .closes)
    defer { older.stop() }
    harness.port = older.port
    try harness.start()
    try harness.deliver(try harness.release(1), sequence: 1)
    harness.waitForCommit(1)
    #expect(older.refusals == 1)
  }

  @Test("a second broker serves while the first is away, and is left when that is back")
  func secondBroker() throws {
    let harness = try DeliveryHarness()
    let other = try DeliveryHarness()
    harness.fallbacks = [other.broker]
    harness.fallbackMilliseconds = 1_000
    let release = try harness.release(1)
    try other.publish(harness.fleet.retained(release))
    try other.publish(try harness.director(release, 1))
    harness.broker.kill()
    try harness.start()
    harness.waitForCommit(1)
    #expect(harness.wait { $0.connected }?.broker.hasSuffix(":\(other.broker.port)") == true)

    let next = try harness.release(2)
    try harness.restartBroker()
    try harness.deliver(next, sequence: 2)
    harness.waitForCommit(2)
    #expect(harness.wait { $0.connected }?.broker.hasSuffix(":\(harness.broker.port)") == true)
    // The broker that was left was told so, and publishes no last will.
    #expect(other.broker.log.contains("Received DISCONNECT from \(DeliveryHarness.device)"))
  }

  @Test("a second broker that missed the newest word is called behind, and not believed")
  func secondIsBehind() throws {
    let harness = try DeliveryHarness()
    let other = try DeliveryHarness()
    harness.fallbacks = [other.broker]
    let releases = try [harness.release(1), harness.release(2)]
    for release in releases { try other.publish(harness.fleet.retained(release)) }
    try other.publish(try harness.director(releases[0], 1))
    try harness.deliver(releases[1], sequence: 2)
    try harness.start()
    harness.waitForCommit(2)
    harness.broker.kill()
    harness.waitForCause(.sourceBehind, stillServing: 2)
    try other.publish(try harness.director(releases[1], 2))
    #expect(harness.wait { $0.connected && $0.cause == nil } != nil)
    #expect(harness.activations.serving == 2)
  }

  @Test("what the first broker lost comes from the second, by the same signed hashes")
  func lostAtFirst() throws {
    let harness = try DeliveryHarness()
    let other = try DeliveryHarness()
    harness.fallbacks = [other.broker]
    let release = try harness.release(1, blocks: 12)
    var topics = harness.fleet.retained(release)
    topics[harness.block(release, 5)] = nil
    topics[harness.block(release, 7)] = [1, 2, 3]
    try harness.publish(topics)
    try harness.publish(try harness.director(release, 1))
    try other.publish(harness.fleet.retained(release))
    try other.publish(try harness.director(release, 1))
    try harness.start()
    harness.waitForCommit(1)
    #expect(harness.stored(1) == release.document.bundleSHA256)
    // What the first broker gave is not asked for again.
    let sent = other.broker.log.split(separator: "\n").filter {
      $0.contains("Sending PUBLISH to \(DeliveryHarness.device) ") && $0.contains("/o/")
    }
    #expect(sent.count <= 3, "\(sent)")
  }

  @Test("row 18: two devices of one name find out, and do not chase each other in a tight loop")
  func duplicates() throws {
    let harness = try DeliveryHarness()
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    let first = try #require(harness.driver)
    harness.stateDirectory += "-clone"
    try harness.start()
    let second = try #require(harness.driver)
    var isFound = false
    for _ in 0..<2000 where !isFound {
      isFound = [first, second].allSatisfy { $0.status().cause == Cause.duplicateID.rawValue }
      usleep(10_000)
    }
    #expect(isFound, "\(first.status()) \(second.status())")
    #expect(harness.activations.serving == 1)
    // Backed off to the longest wait of the test, a tenth of a second, and not reset by messages.
    let before = connections(harness)
    usleep(2_000_000)
    #expect(connections(harness) - before <= 80)
    first.shutdown()
  }

  private func connections(_ harness: DeliveryHarness) -> Int {
    harness.broker.log.split(separator: "\n").count {
      $0.contains("New client connected") && $0.contains(DeliveryHarness.device)
    }
  }

  @Test("row 33: an update of forty blocks is told in a bounded number of statuses")
  func reports() throws {
    let harness = try DeliveryHarness()
    let release = try harness.release(1, blocks: 40)
    try harness.deliver(release, sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    harness.shutdown()
    let topic = Topic.status(fleet: harness.fleet.name, device: DeliveryHarness.device).name
    let statuses = harness.broker.log.split(separator: "\n").count {
      $0.contains("Received PUBLISH from \(DeliveryHarness.device)") && $0.contains(topic)
    }
    // One for each tenth, and one for each state on the way.
    #expect((5...24).contains(statuses), "\(statuses)")
  }

  @Test("rows 15 and 20: a broker that lost everything is seeded again from a file, without keys")
  func seeded() throws {
    let harness = try DeliveryHarness()
    let release = try harness.release(1, blocks: 4)
    let path = harness.directory.path + "/1.release"
    let messages =
      harness.fleet.retained(release).map { ($0.key.name, $0.value) }
      + (try harness.director(release, 1)).map { ($0.key.name, $0.value) }
    try replaceFile(
      path,
      ArchiveFormat.magic + messages.flatMap { ArchiveFormat.encode($0.0, $0.1) }
        + ArchiveFormat.end)
    let archive = try ReleaseArchive(path)
    let seeder = Seeder(
      brokers: FleetBrokers([
        MQTTConfiguration(
          host: harness.broker.host, port: harness.broker.port, clientID: "seeder")
      ]))
    #expect(try seeder.seed(archive).published == messages.count)
    #expect(try seeder.seed(archive).published == 0)
    try harness.start()
    harness.waitForCommit(1)

    // A wiped block is not missed while its seal is there, but by those who ask for it.
    try harness.publish([harness.block(release, 2): []])
    #expect(try seeder.seed(archive).published == 0)
    let asked = try seeder.seed(archive, asked: [release.object.index.objectID])
    #expect(asked.checked == messages.count && asked.published == 1)
    #expect(try seeder.seed(archive, allBlocks: true).published == 0)

    // A newer word of the director's stays, an older or a foreign one does not.
    try harness.publish(try harness.director(release, 2))
    #expect(try seeder.seed(archive).published == 0)
    let topic = Topic.director(fleet: harness.fleet.name, model: "digits")
    try harness.publish([topic: [1, 2, 3]])
    #expect(try seeder.seed(archive).published == 1)

    harness.broker.kill()
    harness.wait { $0.cause == Cause.brokerUnreachable.rawValue }
    try harness.restartBroker()
    #expect(try seeder.seed(archive).published == messages.count)
    #expect(harness.activations.serving == 1)
  }

  @Test("row 15: a device that misses a block asks, and is served by whoever watches")
  func asks() throws {
    let harness = try DeliveryHarness()
    let release = try harness.release(1, blocks: 4)
    var topics = harness.fleet.retained(release)
    let topic = harness.block(release, 2)
    let missing = topics.removeValue(forKey: topic)
    let block = try #require(missing)
    try harness.publish(topics)
    try harness.publish(try harness.director(release, 1))
    let seeder = Seeder(
      brokers: FleetBrokers([
        MQTTConfiguration(
          host: harness.broker.host, port: harness.broker.port, clientID: "seeder")
      ]))
    try harness.start()
    let asked = try seeder.listen(fleet: harness.fleet.name, seconds: 30)
    #expect(asked == [release.object.index.objectID])
    try harness.publish([topic: block])
    harness.waitForCommit(1)
  }
}
