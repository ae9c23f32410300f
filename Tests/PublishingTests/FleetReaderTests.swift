import DeliveryTestSupport
import MQTT
import ModelBundle
import Publishing
import SignedDocuments
import Synchronization
import TestSupport
import Testing

@Suite("Fleet", .serialized)
struct FleetReaderTests {
  let fleet = TestFleet()

  private func configuration(_ broker: Broker, _ client: String, _ user: String? = nil)
    -> MQTTConfiguration
  {
    var configuration = MQTTConfiguration(
      host: broker.host, port: broker.port, clientID: client, username: user)
    if let user { configuration.password = "secret-\(user)" }
    return configuration
  }

  private func publish(_ broker: Broker, _ messages: [MQTTMessage], user: String? = nil) throws {
    let client = try MQTTClient(configuration(broker, user ?? "devices", user))
    try client.connect()
    var (waiting, open) = (messages[...], 0)
    var isConnected = false
    for _ in 0..<2_000 where !waiting.isEmpty || open > 0 {
      while isConnected, open < 16, let next = waiting.popFirst() {
        _ = try client.publish(next)
        open += 1
      }
      for event in client.poll(timeoutMilliseconds: 50) {
        switch event {
        case .connected: isConnected = true
        case .published, .unpublished: open -= 1
        default: break
        }
      }
    }
    client.disconnect()
    #expect(waiting.isEmpty && open == 0)
  }

  private func status(
    _ device: String, _ version: Int64, state: String = "committed", birth: Int64 = 1
  ) -> MQTTMessage {
    let document = StatusDocument(
      birth: birth, sequence: 1, agent: "1.0.0", kernels: "baseline",
      models: [
        .init(name: "digits", state: state, current: version, target: 2, directorSequence: 2)
      ])
    return MQTTMessage(
      topic: Topic.status(fleet: fleet.name, device: device).name, payload: document.encode(),
      quality: .atLeastOnce, retained: true)
  }

  private func birth(_ device: String, _ word: BirthDocument) -> MQTTMessage {
    MQTTMessage(
      topic: Topic.liveness(fleet: fleet.name, device: device).name, payload: word.encode(),
      quality: .atLeastOnce, retained: true)
  }

  @Test("600 devices are read shard by shard, each with its last word")
  func snapshot() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let names = (0..<600).map { "device-\($0)" }
    try publish(
      broker,
      names.enumerated().flatMap { i, name in
        [
          status(name, i < 400 ? 2 : 1, state: i >= 590 ? "refused" : "committed"),
          birth(
            name,
            i < 500 ? .birth(1, boot: [UInt8](repeating: 7, count: 8), agent: "1.0.0") : .death(1)),
        ]
      })
    let snapshot = try FleetReader(
      fleet: fleet.name, brokers: FleetBrokers([configuration(broker, "reader")])
    ).snapshot()
    #expect(snapshot.devices.count == 600)
    #expect(snapshot.devices.count(where: \.isOnline) == 500)
    let release = try fleet.release(fleet.bundle(model: [1, 2, 3]), version: 2)
    let devices = snapshot.rollout(fleet.director(release, sequence: 2))
    #expect(devices.count(where: \.serves) == 400)
    #expect(devices.count { $0.failure != nil } == 10)
  }

  @Test("the director's word is changed in place, numbered on, and recorded")
  func director() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let directory = TemporaryDirectory("director")
    let publisher = Publisher(
      keys: fleet.publisherKeys, brokers: FleetBrokers([configuration(broker, "publisher")]),
      recordDirectory: directory.path)
    let first = try fleet.bundle(model: [UInt8](repeating: 1, count: 100_000))
    let second = try fleet.bundle(model: [UInt8](repeating: 2, count: 100_000))
    func request(_ version: Int64, directs: Bool) -> Publisher.Request {
      .init(
        model: "digits", version: version, now: TestFleet.now, level: 3, bases: [first],
        directs: directs, verifiesAll: true)
    }
    #expect(try publisher.publish(first, request(1, directs: true)) { _ in }.directorSequence == 1)
    let held = try publisher.publish(second, request(2, directs: false)) { _ in }
    #expect(held.directorSequence == nil && held.deltaBytes.count == 1)
    let director = Director(
      keys: fleet.publisherKeys, brokers: FleetBrokers([configuration(broker, "director")]),
      recordDirectory: directory.path, model: "digits")
    #expect(try director.latest().target.sequence == 1)
    #expect(throws: PublishingError.versionNotPublished(version: 9)) {
      try director.reference(version: 9, now: TestFleet.now)
    }
    let target = try director.reference(version: 2, now: TestFleet.now)
    let started = try director.speak(now: TestFleet.now + 1, seconds: 600) {
      (document) throws(PublishingError) in
      try document.startRollout(
        of: target, percent: 100, cohortLabels: [], spreadSeconds: 0, salt: [1],
        allowsDown: false)
    }
    #expect(started.sequence == 2 && started.fallback?.sequence == 1)
    #expect(started.expires == TestFleet.now + 601)
    broker.kill()
    try broker.restart()
    // A broker that forgot everything does not turn the numbers back.
    let refreshed = try director.speak(now: TestFleet.now + 2, seconds: 600) { _ in }
    #expect(refreshed.sequence == 3 && refreshed.target == target)
  }

  @Test("a broker that discards what it acknowledges is found out")
  func readBack() throws {
    let broker = try Broker(extra: ["message_size_limit 2000"])
    defer { broker.kill() }
    var random = SplitMix64(seed: 1)
    let model = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    let publisher = Publisher(
      keys: fleet.publisherKeys, brokers: FleetBrokers([configuration(broker, "publisher")]),
      recordDirectory: nil)
    #expect(throws: PublishingError.self) {
      try publisher.publish(
        fleet.bundle(model: model),
        .init(model: "digits", version: 1, now: TestFleet.now, level: 3)
      ) { _ in }
    }
  }

  @Test("each of several brokers is told, read, and left out while it is away")
  func severalBrokers() throws {
    let brokers = try (0..<2).map { _ in try Broker() }
    defer { for broker in brokers { broker.kill() } }
    let directory = TemporaryDirectory("several")
    let leftOut = Mutex<[Int]>([])
    func all(_ client: String) -> FleetBrokers {
      FleetBrokers(brokers.map { configuration($0, client) }) { broker, _ in
        leftOut.withLock { $0.append(broker.port) }
      }
    }
    let publisher = Publisher(
      keys: fleet.publisherKeys, brokers: all("publisher"), recordDirectory: directory.path)
    let bundle = try fleet.bundle(model: [UInt8](repeating: 1, count: 100_000))
    let request = Publisher.Request(model: "digits", version: 1, now: TestFleet.now, level: 3)
    _ = try publisher.publish(bundle, request) { _ in }
    func latest(_ broker: Broker) throws -> Int64 {
      try Director(
        keys: fleet.publisherKeys, brokers: FleetBrokers([configuration(broker, "one")]),
        recordDirectory: nil, model: "digits"
      ).latest().sequence
    }
    #expect(try brokers.map(latest) == [1, 1] && leftOut.withLock { $0.isEmpty })

    // Devices are at different brokers; one moved, and left an old word behind.
    let boot = [UInt8](repeating: 7, count: 8)
    let words = [status("device-1", 1), status("device-2", 1), birth("device-2", .death(1))]
    let later = birth("device-2", .birth(2, boot: boot, agent: "1.0.0"))
    try publish(brokers[1], words)
    try publish(brokers[0], [status("device-2", 4, birth: 2), later])
    for devices in [nil, ["device-1", "device-2", "device-3"]] {
      let snapshot = try FleetReader(
        fleet: fleet.name, brokers: all("reader"), devices: devices
      ).snapshot()
      #expect(snapshot.sorted.map { $0.model("digits")?.current } == [1, 4])
      #expect(snapshot.sorted.map(\.isOnline) == [false, true])
    }

    brokers[0].kill()
    let director = Director(
      keys: fleet.publisherKeys, brokers: all("director"), recordDirectory: directory.path,
      model: "digits")
    #expect(try director.speak(now: TestFleet.now, seconds: 600) { _ in }.sequence == 2)
    #expect(leftOut.withLock { $0 } == [brokers[0].port])
    try brokers[0].restart()
    #expect(try director.speak(now: TestFleet.now, seconds: 600) { _ in }.sequence == 3)
    #expect(try brokers.map(latest) == [3, 3])
    for broker in brokers { broker.kill() }
    #expect(throws: PublishingError.self) { try director.latest() }
  }

  @Test("with the access list a device cannot speak as another, nor wipe what is retained")
  func access() throws {
    let files = TemporaryDirectory("access")
    let access = BrokerAccess(fleet: fleet.name)
    files.write("acl", access.accessList)
    let broker = try Broker(extra: ["acl_file \(files.path)/acl"])
    defer { broker.kill() }
    let publisher = Publisher(
      keys: fleet.publisherKeys,
      brokers: FleetBrokers([configuration(broker, "publisher", access.publisher)]),
      recordDirectory: nil)
    let release = try fleet.bundle(model: [1, 2, 3])
    _ = try publisher.publish(
      release, .init(model: "digits", version: 1, now: TestFleet.now, level: 3)) { _ in }
    try publish(broker, [status("device-1", 1)], user: "device-1")
    // All of these are acknowledged, and none is kept.
    let directorTopic = Topic.director(fleet: fleet.name, model: "digits").name
    try publish(
      broker,
      [
        status("device-1", 9),
        MQTTMessage(topic: directorTopic, payload: [], quality: .atLeastOnce, retained: true),
      ], user: "device-2")
    let reader = FleetReader(
      fleet: fleet.name,
      brokers: FleetBrokers([configuration(broker, "reader", access.director)]))
    #expect(try reader.snapshot().devices.map { $0.model("digits")?.current } == [1])
    let director = Director(
      keys: fleet.publisherKeys,
      brokers: FleetBrokers([configuration(broker, "director", access.director)]),
      recordDirectory: nil, model: "digits")
    #expect(try director.latest().target.sequence == 1)
  }
}
