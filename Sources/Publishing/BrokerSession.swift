import MQTT
import SignedDocuments

/// One publisher's connection to a broker: reads retained messages, and publishes with a bounded
/// window until everything is acknowledged.
final class BrokerSession {
  private let client: MQTTClient
  private var backoff: MQTTBackoff
  /// Bytes of all PUBLISH packets so far.
  private(set) var wireBytes: Int64 = 0
  private var reconnections = 0
  /// Messages that came while something was published.
  private var heard: [MQTTMessage] = []

  init(_ configuration: MQTTConfiguration) throws(PublishingError) {
    do throws(MQTTError) {
      client = try MQTTClient(configuration)
    } catch {
      throw .mqtt(error)
    }
    backoff = MQTTBackoff(
      minimumMilliseconds: 200, maximumMilliseconds: PublishingLimits.backoffMilliseconds)
  }

  deinit { client.disconnect() }

  /// Connects; throws when the broker does not accept in time.
  func connect() throws(PublishingError) {
    try call { (client) throws(MQTTError) in try client.connect() }
    let deadline = monotonicMilliseconds() + Int64(PublishingLimits.connectMilliseconds) + 1000
    while monotonicMilliseconds() < deadline {
      for event in client.poll(timeoutMilliseconds: 200) {
        switch event {
        case .connected: return
        case .disconnected(let reason): throw .disconnected(reason)
        default: break
        }
      }
    }
    client.disconnect()
    throw .disconnected(.timedOut)
  }

  /// Ends the connection in order.
  func disconnect() { client.disconnect() }

  /// The retained messages of `topics`; absent where none came before the silence after the broker's
  /// answer.
  func retained(_ topics: [Topic]) throws(PublishingError) -> [Topic: [UInt8]] {
    let names = topics.map(\.name)
    // At QoS 0: brokers that keep each stronger subscription durably take their time for it.
    let request = try call { (client) throws(MQTTError) in try client.subscribe(names) }
    var found: [Topic: [UInt8]] = [:]
    var deadline = monotonicMilliseconds() + Int64(PublishingLimits.connectMilliseconds)
    var isAnswered = false
    while !isAnswered || found.count < topics.count, monotonicMilliseconds() < deadline {
      let wait = max(1, deadline - monotonicMilliseconds())
      for event in client.poll(timeoutMilliseconds: Int(wait)) {
        switch event {
        case .subscribed(id: request, let refused):
          guard refused == 0 else { throw .subscriptionRefused(topic: names.joined(separator: " ")) }
          isAnswered = true
          deadline = monotonicMilliseconds() + Int64(PublishingLimits.silenceMilliseconds)
        case .message(let message) where message.retained:
          if let topic = Topic(message.topic), topics.contains(topic) {
            found[topic] = message.payload
          }
        case .disconnected(let reason): throw .disconnected(reason)
        default: break
        }
      }
    }
    guard isAnswered else { throw .stalled(seconds: PublishingLimits.connectMilliseconds / 1000) }
    try call { (client) throws(MQTTError) in _ = try client.unsubscribe(names) }
    return found
  }

  /// Hands each retained message that matches `filters` to `take`: those that come before the
  /// broker's answer, and after it for the time of the silence when this is the last request.
  ///
  /// What comes late is handed on by the next call.
  func retained(
    matching filters: [String], isLast: Bool, take: (_ topic: String, _ payload: [UInt8]) -> Void
  ) throws(PublishingError) {
    let request = try call { (client) throws(MQTTError) in try client.subscribe(filters) }
    var deadline = monotonicMilliseconds() + Int64(PublishingLimits.connectMilliseconds)
    var isAnswered = false
    while !isAnswered || isLast, monotonicMilliseconds() < deadline {
      let wait = max(1, deadline - monotonicMilliseconds())
      for event in client.poll(timeoutMilliseconds: Int(wait)) {
        switch event {
        case .subscribed(id: request, let refused):
          guard refused == 0 else { throw .subscriptionRefused(topic: filters.joined(separator: " ")) }
          isAnswered = true
          deadline = monotonicMilliseconds() + Int64(PublishingLimits.silenceMilliseconds)
        case .message(let message): take(message.topic, message.payload)
        case .disconnected(let reason): throw .disconnected(reason)
        default: break
        }
      }
    }
    guard isAnswered else { throw .stalled(seconds: PublishingLimits.connectMilliseconds / 1000) }
    try call { (client) throws(MQTTError) in _ = try client.unsubscribe(filters) }
  }

  /// Asks for what is published under `filters` from now on.
  func hear(_ filters: [String]) throws(PublishingError) {
    try call { (client) throws(MQTTError) in _ = try client.subscribe(filters, .atLeastOnce) }
  }

  /// Hands what came under filters that were asked for to `take`, waiting so long for it; what came
  /// while something was published counts.
  ///
  /// - Returns: whether `take` was satisfied with any.
  func listen(milliseconds: Int, take: (String, [UInt8]) -> Bool) throws(PublishingError) -> Bool {
    var isSatisfied = false
    for message in heard { isSatisfied = take(message.topic, message.payload) || isSatisfied }
    heard = []
    guard !isSatisfied else { return true }
    for event in client.poll(timeoutMilliseconds: milliseconds) {
      switch event {
      case .message(let message):
        isSatisfied = take(message.topic, message.payload) || isSatisfied
      case .disconnected(let reason): throw .disconnected(reason)
      default: break
      }
    }
    return isSatisfied
  }

  /// Publishes all of `publications` and returns when the broker has acknowledged each.
  func publish(_ publications: [Publication], acknowledged: (Publication) -> Void)
    throws(PublishingError)
  {
    var waiting = publications[...]
    var inFlight: [Int32: Publication] = [:]
    var lastAnswer = monotonicMilliseconds()
    while !waiting.isEmpty || !inFlight.isEmpty {
      while inFlight.count < PublishingLimits.window, let next = waiting.first,
        let request = try send(next.message)
      {
        waiting.removeFirst()
        inFlight[request] = next
        wireBytes += Int64(next.wireBytes)
      }
      for event in client.poll(timeoutMilliseconds: 250) {
        switch event {
        case .published(let request):
          guard let publication = inFlight.removeValue(forKey: request) else { continue }
          lastAnswer = monotonicMilliseconds()
          acknowledged(publication)
        case .unpublished(let request, let reason):
          guard let publication = inFlight[request] else { continue }
          throw .publicationRefused(topic: publication.message.topic, reason: reason)
        case .message(let message):
          if heard.count < PublishingLimits.window { heard.append(message) }
        case .disconnected(let reason): throw .disconnected(reason)
        default: break
        }
      }
      if monotonicMilliseconds() - lastAnswer > Int64(PublishingLimits.stallMilliseconds) {
        throw .stalled(seconds: PublishingLimits.stallMilliseconds / 1000)
      }
    }
  }

  /// Hands a message to the client; nil when the connection is found lost, which the next poll tells.
  private func send(_ message: MQTTMessage) throws(PublishingError) -> Int32? {
    do throws(MQTTError) {
      return try client.publish(message)
    } catch {
      switch error {
      case .notConnected, .library, .system: return nil
      default: throw .mqtt(error)
      }
    }
  }

  /// Connects anew after a lost connection, waiting before each attempt.
  ///
  /// - Throws: `reason` when the attempts of this session are used up.
  func reconnect(after reason: MQTTDisconnection) throws(PublishingError) {
    while reconnections < PublishingLimits.reconnections {
      reconnections += 1
      var random = SystemRandomNumberGenerator()
      sleep(milliseconds: backoff.next(using: &random))
      do throws(PublishingError) {
        return try connect()
      } catch {
        guard case .disconnected = error else { throw error }
      }
    }
    throw .disconnected(reason)
  }

  @discardableResult
  private func call<T>(_ body: (MQTTClient) throws(MQTTError) -> T) throws(PublishingError) -> T {
    do throws(MQTTError) {
      return try body(client)
    } catch {
      throw .mqtt(error)
    }
  }
}
