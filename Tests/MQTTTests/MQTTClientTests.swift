import MQTT
import TestSupport
import Testing

/// Polls until an event satisfies `predicate` or `polls` waits of 50 ms are over.
private func events(
  _ client: MQTTClient, polls: Int = 200, until predicate: (MQTTEvent) -> Bool
) -> [MQTTEvent] {
  var all: [MQTTEvent] = []
  for _ in 0..<polls {
    all += client.poll(timeoutMilliseconds: 50)
    if all.contains(where: predicate) { break }
  }
  return all
}

private func isDisconnection(_ event: MQTTEvent) -> Bool {
  if case .disconnected = event { true } else { false }
}

private func messages(_ events: [MQTTEvent]) -> [MQTTMessage] {
  events.compactMap { if case .message(let message) = $0 { message } else { nil } }
}

private func connected(
  _ broker: Broker, _ id: String, will: MQTTMessage? = nil
) throws -> MQTTClient {
  let client = try MQTTClient(
    MQTTConfiguration(host: broker.host, port: broker.port, clientID: id))
  try client.connect(will: will)
  #expect(events(client) { $0 == .connected }.contains(.connected))
  return client
}

@Suite("MQTT client against a real broker")
struct MQTTClientTests {
  @Test("publishes at QoS 0 and 1, and hears of both")
  func publish() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let client = try connected(broker, "publisher")
    for quality in [MQTTQuality.atMostOnce, .atLeastOnce] {
      let id = try client.publish(MQTTMessage(topic: "a/b", payload: [1], quality: quality))
      #expect(events(client) { $0 == .published(id: id) }.contains(.published(id: id)))
    }
  }

  @Test("gets a retained message by its exact topic, and nothing else")
  func retained() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let publisher = try connected(broker, "publisher")
    var last: Int32 = 0
    for i in 0..<20 {
      last = try publisher.publish(
        MQTTMessage(
          topic: "o/x/\(i)", payload: [UInt8](repeating: UInt8(i), count: 65_536),
          quality: .atLeastOnce, retained: true))
    }
    _ = events(publisher) { $0 == .published(id: last) }

    let device = try connected(broker, "device")
    let id = try device.subscribe(["o/x/3", "o/x/17", "o/x/99"])
    var all = events(device) { $0 == .subscribed(id: id, refused: 0) }
    for _ in 0..<20 where messages(all).count < 2 { all += device.poll(timeoutMilliseconds: 50) }
    all += device.poll(timeoutMilliseconds: 100)

    #expect(Set(messages(all).map(\.topic)) == ["o/x/3", "o/x/17"])
    for message in messages(all) {
      #expect(message.retained && message.payload.count == 65_536)
    }
  }

  @Test("row 21: a wildcard loses what a broker's queue does not hold, exact topics lose nothing")
  func wildcard() throws {
    let broker = try Broker(extra: ["max_queued_messages 100"])
    defer { broker.kill() }
    let publisher = try connected(broker, "publisher")
    let count = 400
    var last: Int32 = 0
    for i in 0..<count {
      last = try publisher.publish(
        MQTTMessage(topic: "o/x/\(i)", payload: [1], quality: .atLeastOnce, retained: true))
      if i.isMultiple(of: 50) { _ = events(publisher) { $0 == .published(id: last) } }
    }
    _ = events(publisher) { $0 == .published(id: last) }

    let careless = try connected(broker, "careless")
    try careless.subscribe(["o/x/+"], .atLeastOnce)
    var heard: Set<String> = []
    for _ in 0..<20 {
      heard.formUnion(messages(careless.poll(timeoutMilliseconds: 50)).map(\.topic))
    }
    #expect(heard.count < count, "\(heard.count): this broker has no such limit")

    let device = try connected(broker, "device")
    var found: Set<String> = []
    for start in stride(from: 0, to: count, by: 8) {
      let window = (start..<start + 8).map { "o/x/\($0)" }
      try device.subscribe(window)
      for _ in 0..<100 where !found.isSuperset(of: window) {
        found.formUnion(messages(device.poll(timeoutMilliseconds: 50)).map(\.topic))
      }
      try device.unsubscribe(window)
    }
    #expect(found.count == count)
  }

  @Test("hears nothing of a topic that it unsubscribed from")
  func unsubscribe() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let client = try connected(broker, "device")
    try client.subscribe(["t/1", "t/2"])
    let id = try client.unsubscribe(["t/1"])
    _ = events(client) { $0 == .unsubscribed(id: id) }
    try client.publish(MQTTMessage(topic: "t/1", payload: [1]))
    try client.publish(MQTTMessage(topic: "t/2", payload: [2]))
    let heard = messages(events(client) { !messages([$0]).isEmpty })
    #expect(heard.map(\.topic) == ["t/2"])
  }

  @Test("the will is published when a client vanishes, and not when it says goodbye")
  func will() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let observer = try connected(broker, "observer")
    let id = try observer.subscribe(["l/+"])
    _ = events(observer) { $0 == .subscribed(id: id, refused: 0) }
    func will(_ name: String) -> MQTTMessage {
      MQTTMessage(topic: "l/\(name)", payload: [0], quality: .atLeastOnce, retained: true)
    }

    let polite = try connected(broker, "polite", will: will("polite"))
    polite.disconnect()
    #expect(polite.poll(timeoutMilliseconds: 0) == [.disconnected(.requested)])
    var vanishing: MQTTClient? = try connected(broker, "vanishing", will: will("vanishing"))
    #expect(vanishing?.isConnected == true)
    vanishing = nil

    let heard = messages(events(observer) { !messages([$0]).isEmpty })
    #expect(heard.map(\.topic) == ["l/vanishing"])
  }

  @Test("a second client of the same name ends the first one's connection")
  func takeover() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let first = try connected(broker, "same")
    let second = try connected(broker, "same")
    #expect(events(first, until: isDisconnection).contains(.disconnected(.lost(errno: 0))))
    #expect(!first.isConnected && second.isConnected)
  }

  @Test("a broker that is down is a disconnection, and the next attempt can succeed")
  func down() throws {
    let broker = try Broker()
    defer { broker.kill() }
    broker.kill()
    let client = try MQTTClient(
      MQTTConfiguration(host: broker.host, port: broker.port, clientID: "device"))
    try client.connect()
    #expect(events(client, until: isDisconnection).contains { isDisconnection($0) })
    try broker.restart()
    try client.connect()
    #expect(events(client) { $0 == .connected }.contains(.connected))
  }

  @Test("a host without an address is a disconnection")
  func unresolved() throws {
    let client = try MQTTClient(
      MQTTConfiguration(host: "no-such-host.invalid", port: 1883, clientID: "device"))
    try client.connect()
    #expect(client.poll(timeoutMilliseconds: 0) == [.disconnected(.unresolvedHost)])
  }

  @Test("a broker killed later is a disconnection")
  func killed() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let client = try connected(broker, "device")
    broker.kill()
    #expect(events(client, until: isDisconnection).contains { isDisconnection($0) })
    #expect(throws: MQTTError.notConnected) {
      try client.publish(MQTTMessage(topic: "t", payload: []))
    }
  }

  @Test("a broker that accepts the connection and says nothing is given up in time")
  func silent() throws {
    let broker = try Broker()
    defer { broker.kill() }
    broker.freeze()
    var configuration = MQTTConfiguration(host: broker.host, port: broker.port, clientID: "d")
    configuration.connectTimeoutMilliseconds = 200
    let client = try MQTTClient(configuration)
    try client.connect()
    #expect(events(client, until: isDisconnection) == [.disconnected(.timedOut)])
  }

  @Test("wrong credentials are refused with the broker's code, right ones are accepted")
  func credentials() throws {
    let directory = TemporaryDirectory("password")
    // The password is "secret"; hashed by mosquitto_passwd.
    directory.write("passwords", passwordFile)
    let broker = try Broker(
      extra: ["allow_anonymous false", "password_file \(directory.path)/passwords"])
    defer { broker.kill() }
    func attempt(_ password: String?, _ version: MQTTVersion) throws -> [MQTTEvent] {
      var configuration = MQTTConfiguration(
        host: broker.host, port: broker.port, clientID: "device",
        username: password.map { _ in "device" }, password: password)
      configuration.version = version
      let client = try MQTTClient(configuration)
      try client.connect()
      let found = events(client) { $0 == .connected || isDisconnection($0) }
      #expect(client.version == version)
      return found
    }
    for (version, code) in [(MQTTVersion.v311, 5), (.v5, 0x87)] as [(MQTTVersion, Int32)] {
      let refusal = MQTTDisconnection.refused(code: code)
      #expect(try attempt("wrong", version) == [.disconnected(refusal)])
      #expect(try attempt(nil, version) == [.disconnected(refusal)])
      #expect(refusal.isRefusalOfClient)
      #expect(try attempt("secret", version) == [.connected])
    }
  }

  @Test("a broker of MQTT 5 says what its access list keeps from a client; 3.1.1 cannot")
  func accessList() throws {
    let directory = TemporaryDirectory("access")
    directory.write("acl", "topic readwrite open/#\n")
    let broker = try Broker(extra: ["acl_file \(directory.path)/acl"])
    defer { broker.kill() }
    for version in [MQTTVersion.v311, .v5] {
      var configuration = MQTTConfiguration(
        host: broker.host, port: broker.port, clientID: "device")
      configuration.version = version
      let client = try MQTTClient(configuration)
      try client.connect()
      _ = events(client) { $0 == .connected }
      for (topic, isOpen) in [("open/a", true), ("closed/a", false)] {
        let id = try client.publish(
          MQTTMessage(topic: topic, payload: [1], quality: .atLeastOnce))
        let answer = MQTTEvent.unpublished(id: id, reason: 0x87)
        let expected = isOpen || version == .v311 ? .published(id: id) : answer
        #expect(
          events(client) { $0 == .published(id: id) || $0 == answer }.contains(expected))
      }
    }
  }

  @Test(
    "a broker that does not speak MQTT 5 is met in 3.1.1, at once, and from then on first",
    arguments: [OlderBroker.Manner.answers, .closes])
  func olderBroker(manner: OlderBroker.Manner) throws {
    let broker = try Broker()
    defer { broker.kill() }
    let older = try OlderBroker(before: broker, manner)
    defer { older.stop() }
    let client = try MQTTClient(
      MQTTConfiguration(host: broker.host, port: older.port, clientID: "device"))
    let will = MQTTMessage(topic: "gone", payload: [7], quality: .atLeastOnce, retained: true)
    for attempt in 1...2 {
      try client.connect(will: will)
      let found = events(client) { $0 == .connected || isDisconnection($0) }
      // The attempt that was turned down is no event.
      #expect(found == [.connected], "attempt \(attempt)")
      #expect(client.version == .v311 && older.refusals == 1)
      let id = try client.publish(
        MQTTMessage(
          topic: "a", payload: [UInt8](repeating: 1, count: 100_000), quality: .atLeastOnce))
      #expect(events(client) { $0 == .published(id: id) }.contains(.published(id: id)))
      client.disconnect()
      _ = client.poll(timeoutMilliseconds: 0)
    }
    // The broker itself speaks both.
    let direct = try connected(broker, "direct")
    #expect(direct.version == .v5)
    // What neither version gets through to is told once.
    broker.kill()
    try client.connect(
      to: MQTTConfiguration(host: broker.host, port: older.port, clientID: "other"))
    #expect(
      events(client, until: isDisconnection) == [.disconnected(.lost(errno: 0))])
  }

  @Test("a broker that ends the connection says why")
  func dismissed() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let ending = try OlderBroker(before: broker, .dismisses(0x8B))
    defer { ending.stop() }
    let client = try MQTTClient(
      MQTTConfiguration(host: broker.host, port: ending.port, clientID: "device"))
    try client.connect()
    #expect(
      events(client, until: isDisconnection)
        == [.connected, .disconnected(.dismissed(reason: 0x8B))])
    #expect(ending.refusals == 1)
  }

  @Test("another thread's wake-up ends a long poll")
  func wake() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let client = try connected(broker, "device")
    client.waker.wake()
    client.waker.wake()
    #expect(client.poll(timeoutMilliseconds: 60_000) == [.woken])
    #expect(client.poll(timeoutMilliseconds: 0) == [])
  }

  @Test("an inbound message over the limit is dropped and told, and the connection stands")
  func oversized() throws {
    let broker = try Broker()
    defer { broker.kill() }
    var limits = MQTTLimits()
    limits.payloadBytesMaximum = 1000
    let client = try MQTTClient(
      MQTTConfiguration(host: broker.host, port: broker.port, clientID: "device"), limits: limits)
    try client.connect()
    _ = events(client) { $0 == .connected }
    try client.subscribe(["t"])
    let publisher = try connected(broker, "publisher")
    _ = try publisher.publish(
      MQTTMessage(topic: "t", payload: [UInt8](repeating: 0, count: 1001), retained: true))
    let last = try publisher.publish(
      MQTTMessage(topic: "t", payload: [7], quality: .atLeastOnce, retained: true))
    _ = events(publisher) { $0 == .published(id: last) }
    let heard = events(client) { !messages([$0]).isEmpty }
    #expect(heard.contains(.oversized(topic: "t", bytes: 1001)))
    #expect(messages(heard).map(\.payload) == [[7]])
  }

  @Test("bad topics, payloads and counts are refused before the library sees them")
  func refused() throws {
    let broker = try Broker()
    defer { broker.kill() }
    let client = try connected(broker, "device")
    let long = String(repeating: "x", count: 257)
    #expect(throws: MQTTError.topicTooLong(limit: 256, actual: 257)) {
      try client.subscribe([long])
    }
    for topic in ["", "a/+", "#", "a\0b"] {
      #expect(throws: MQTTError.malformedTopic(topic)) {
        try client.publish(MQTTMessage(topic: topic, payload: []))
      }
    }
    #expect(throws: MQTTError.topicCount(limit: 64, actual: 0)) { try client.subscribe([]) }
    #expect(throws: MQTTError.topicCount(limit: 64, actual: 65)) {
      try client.unsubscribe((0...64).map { "t/\($0)" })
    }
    #expect(throws: MQTTError.payloadTooLarge(limit: 307_200, actual: 307_201)) {
      try client.publish(MQTTMessage(topic: "t", payload: [UInt8](repeating: 0, count: 307_201)))
    }
  }

  @Test("a configuration that cannot work is refused", arguments: [0, 65_536, -1])
  func configuration(port: Int) {
    #expect(throws: MQTTError.invalidConfiguration(field: .port)) {
      try MQTTClient(MQTTConfiguration(host: "localhost", port: port, clientID: "d"))
    }
    #expect(throws: MQTTError.invalidConfiguration(field: .clientID)) {
      try MQTTClient(MQTTConfiguration(host: "localhost", port: 1883, clientID: ""))
    }
  }
}

/// One user, `device`, with the password `secret`; made by mosquitto_passwd.
private let passwordFile =
  """
  device:$7$101$bVouQyt3RWlamqWM$um/kHguYJ4IOv0uhytKbWUo485YPI0aSV5eprETpCGYrj6DXy0knKbfPfbrRFhxEyyWi9lGD4qrYmMtWlt6BiQ==

  """
