package import MQTT
import SignedDocuments

/// The brokers of a fleet: one, or several of which each is to hold the same messages, because
/// what one retains the others may not.
package struct FleetBrokers: Sendable {
  /// At least one.
  package let configurations: [MQTTConfiguration]
  /// Told of each broker that was left out, as long as another one is there.
  private let leftOut: @Sendable (MQTTConfiguration, PublishingError) -> Void

  /// - Precondition: there is at least one.
  package init(
    _ configurations: [MQTTConfiguration],
    leftOut: @escaping @Sendable (MQTTConfiguration, PublishingError) -> Void = { _, _ in }
  ) {
    precondition(!configurations.isEmpty)
    self.configurations = configurations
    self.leftOut = leftOut
  }

  /// Runs `body` on a connection to each broker that can be reached.
  ///
  /// - Throws: why the last one could not be, when none can.
  func withSessions<R>(_ body: ([BrokerSession]) throws(PublishingError) -> R)
    throws(PublishingError) -> R
  {
    var sessions: [BrokerSession] = []
    var failures: [(MQTTConfiguration, PublishingError)] = []
    defer { for session in sessions { session.disconnect() } }
    for configuration in configurations {
      let session = try BrokerSession(configuration)
      do throws(PublishingError) {
        try session.connect()
        sessions.append(session)
      } catch {
        guard case .disconnected = error else { throw error }
        failures.append((configuration, error))
      }
    }
    if sessions.isEmpty, let (_, error) = failures.last { throw error }
    for (configuration, error) in failures { leftOut(configuration, error) }
    return try body(sessions)
  }
}

extension [BrokerSession] {
  /// What the brokers retain on `topic`, of each that has anything.
  func retained(_ topic: Topic) throws(PublishingError) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    for session in self {
      if let message = try session.retained([topic])[topic] { messages.append(message) }
    }
    return messages
  }

  /// Publishes to each, and returns when all have acknowledged.
  func publish(_ publications: [Publication]) throws(PublishingError) {
    for session in self { try session.publish(publications) { _ in } }
  }

  /// Hands what comes from any to `take`, until it is satisfied or so long has passed.
  func listen(seconds: Int, take: (String, [UInt8]) -> Bool) throws(PublishingError) {
    let deadline = monotonicMilliseconds() + Int64(seconds) * 1000
    var isSatisfied = false
    while !isSatisfied, monotonicMilliseconds() < deadline {
      for session in self where !isSatisfied {
        let wait = Swift.max(1, deadline - monotonicMilliseconds())
        isSatisfied = try session.listen(
          milliseconds: Int(Swift.min(wait, 250 / Int64(count))), take: take)
      }
    }
  }
}
