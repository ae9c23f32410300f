import ByteParsing
import Cryptography
import DeliveryTestSupport
import MQTT
import ModelBundle
import SignedDocuments
import TestSupport
import Testing

@testable import Publishing

@Suite("Publisher", .serialized)
struct PublisherTests {
  let fleet = TestFleet()

  private func model(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 0...15, using: &random) }
  }

  private func publisher(_ broker: Broker, record: String? = nil) -> Publisher {
    Publisher(
      keys: fleet.publisherKeys, brokers: FleetBrokers([configuration(broker, "publisher")]),
      recordDirectory: record)
  }

  private func configuration(_ broker: Broker, _ client: String) -> MQTTConfiguration {
    MQTTConfiguration(host: broker.host, port: broker.port, clientID: client)
  }

  private func request(_ version: Int64, allowsDown: Bool = false) -> Publisher.Request {
    Publisher.Request(
      model: "digits", version: version, allowsDown: allowsDown, now: TestFleet.now, level: 3)
  }

  /// What a new client finds retained on `topics`.
  private func retained(_ broker: Broker, _ topics: [Topic]) throws -> [Topic: [UInt8]] {
    let client = try MQTTClient(configuration(broker, "reader"))
    try client.connect()
    var found: [Topic: [UInt8]] = [:]
    for _ in 0..<200 where found.count < topics.count {
      for event in client.poll(timeoutMilliseconds: 50) {
        switch event {
        case .connected: try client.subscribe(topics.map(\.name))
        case .message(let message):
          if let topic = Topic(message.topic) { found[topic] = message.payload }
        default: break
        }
      }
    }
    client.disconnect()
    return found
  }

  @Test("leaves on the broker all that a device needs, each block as the index has it")
  func publishing() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let bundle = try fleet.bundle(model: model(300_000))
    var last: PublishProgress?
    var count = 0
    let summary = try publisher(broker).publish(bundle, request(3)) {
      last = $0
      count += 1
    }
    #expect(summary.directorSequence == 1 && summary.blocks == 5)
    #expect(summary.rawBytes == Int64(bundle.bytes.count))
    #expect(last?.bytes == last?.bytesTotal && count == 5 + 5)
    #expect(summary.wireBytes > summary.encodedBytes)
    #expect(summary.wireBytes < summary.encodedBytes + 2500)

    let documents = try retained(
      broker,
      [
        .root(fleet: fleet.name, version: 1), .director(fleet: fleet.name, model: "digits"),
        .release(fleet: fleet.name, model: "digits", sequence: 3),
      ])
    let root = try TrustedRoot(
      trusting: try #require(documents[.root(fleet: fleet.name, version: 1)]))
    let director = try root.verify(
      director: try #require(documents[.director(fleet: fleet.name, model: "digits")]),
      model: "digits", now: TestFleet.now)
    let release = try root.verify(
      release: try #require(
        documents[.release(fleet: fleet.name, model: "digits", sequence: 3)]),
      named: director.target, model: "digits", now: TestFleet.now)

    let objectID = release.full.objectID
    let blocks = (0..<release.blockCount).map {
      Topic.block(fleet: fleet.name, objectID: objectID, block: $0)
    }
    let object = try retained(
      broker,
      blocks + [
        .index(fleet: fleet.name, objectID: objectID), .seal(fleet: fleet.name, objectID: objectID),
      ])
    let index = try ObjectIndex(
      try #require(object[.index(fleet: fleet.name, objectID: objectID)]), objectID: objectID,
      blockListSHA256: release.blockListSHA256, blockCount: release.blockCount)
    #expect(object[.seal(fleet: fleet.name, objectID: objectID)] == index.seal)
    var raw: [UInt8] = []
    let decoder = BlockDecoder()
    for (block, topic) in blocks.enumerated() {
      raw += try index.decode(
        try #require(object[topic]), block: block,
        rawByteCount: release.rawByteCount(ofBlock: block), with: decoder)
    }
    #expect(SHA256.hash(raw) == release.bundleSHA256)
    #expect(raw == bundle.bytes.array)
  }

  @Test("goes on from the director document that the broker retains, and names a fallback")
  func sequence() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let first = try fleet.bundle(model: model(1000))
    let second = try fleet.bundle(model: model(1000, seed: 2))
    #expect(try publisher(broker).publish(first, request(1)) { _ in }.directorSequence == 1)
    #expect(try publisher(broker).publish(second, request(2)) { _ in }.directorSequence == 2)
    let topic = Topic.director(fleet: fleet.name, model: "digits")
    let message = try #require(try retained(broker, [topic])[topic])
    let director = try fleet.trustedRoot.authenticate(director: message, model: "digits")
    #expect(director.target.sequence == 2 && director.fallback?.sequence == 1)
  }

  @Test("goes on from its own record when the broker has lost everything")
  func record() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let directory = TemporaryDirectory()
    let bundle = try fleet.bundle(model: model(1000))
    let publisher = publisher(broker, record: directory.path)
    #expect(try publisher.publish(bundle, request(1)) { _ in }.directorSequence == 1)
    try broker.restart()
    #expect(throws: PublishingError.versionNotAbove(published: 1, requested: 1)) {
      try publisher.publish(bundle, request(1)) { _ in }
    }
    #expect(
      try publisher.publish(bundle, request(1, allowsDown: true)) { _ in }.directorSequence == 2)
  }

  @Test("refuses a version that is not above the published one, unless it is told to go down")
  func versionOrder() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let bundle = try fleet.bundle(model: model(1000))
    _ = try publisher(broker).publish(bundle, request(5)) { _ in }
    for version in [Int64(5), 4] {
      #expect(throws: PublishingError.versionNotAbove(published: 5, requested: version)) {
        try publisher(broker).publish(bundle, request(version)) { _ in }
      }
    }
    #expect(
      try publisher(broker).publish(bundle, request(4, allowsDown: true)) { _ in }
        .directorSequence == 2)
  }

  @Test("never changes a release: another bundle under its version is refused")
  func immutability() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let first = try fleet.bundle(model: model(1000))
    _ = try publisher(broker).publish(first, request(1)) { _ in }
    let topic = Topic.release(fleet: fleet.name, model: "digits", sequence: 1)
    let before = try retained(broker, [topic])[topic]
    var again = request(1, allowsDown: true)
    again.now += 60
    _ = try publisher(broker).publish(first, again) { _ in }
    #expect(try retained(broker, [topic])[topic] == before)
    let second = try fleet.bundle(model: model(1000, seed: 2))
    #expect(throws: PublishingError.versionTaken(version: 1)) {
      try publisher(broker).publish(second, again) { _ in }
    }
  }

  @Test("replaces a director document that its key did not sign")
  func forgedDirector() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let other = TestFleet(name: "test-fleet", seed: 9)
    let bundle = try other.bundle(model: model(1000))
    let forger = Publisher(
      keys: other.publisherKeys, brokers: FleetBrokers([configuration(broker, "forger")]),
      recordDirectory: nil)
    _ = try forger.publish(bundle, request(900)) { _ in }
    #expect(try publisher(broker).publish(bundle, request(1)) { _ in }.directorSequence == 1)
  }

  @Test("blocks have 64 KiB, of a large bundle 128, and more only where they could not be counted")
  func blockSizes() throws {
    let sizes = try [1, 8 << 20 - 1, 8 << 20, 512 << 20].map {
      try SignedRelease.blockSizeLog2($0)
    }
    #expect(sizes == [16, 16, 17, 17])
    let most = Int(DocumentLimits.blocks)
    #expect(try SignedRelease.blockSizeLog2(most << 17) == 17)
    #expect(try SignedRelease.blockSizeLog2(most << 17 + 1) == 18)
    #expect(throws: PublishingError.self) { try SignedRelease.blockSizeLog2(most << 18 + 1) }
  }

  @Test("says so when the broker is not there")
  func unreachable() throws {
    let configuration = MQTTConfiguration(
      host: "127.0.0.1", port: Broker.freePort(), clientID: "publisher")
    let publisher = Publisher(
      keys: fleet.publisherKeys, brokers: FleetBrokers([configuration]), recordDirectory: nil)
    let bundle = try fleet.bundle(model: model(1000))
    let error = #expect(throws: PublishingError.self) {
      try publisher.publish(bundle, request(1)) { _ in }
    }
    guard case .disconnected = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("finishes over a broker that restarts in the middle")
  func interruption() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let bundle = try fleet.bundle(model: model(4_000_000))
    var restarts = 0
    var failure: (any Error)?
    let summary = try publisher(broker).publish(bundle, request(1)) { progress in
      guard progress.messages == 20, restarts == 0 else { return }
      restarts += 1
      do { try broker.restart() } catch { failure = error }
    }
    #expect(failure == nil && restarts == 1)
    #expect(summary.wireBytes > summary.encodedBytes)
    let objectID = try fleet.release(bundle, version: 1).object.index.objectID
    let blocks = (0..<summary.blocks).map {
      Topic.block(fleet: fleet.name, objectID: objectID, block: $0)
    }
    let topics = [Topic.director(fleet: fleet.name, model: "digits")] + blocks.prefix(60)
    #expect(try retained(broker, topics).count == topics.count)
  }
}
