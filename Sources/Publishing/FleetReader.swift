import MQTT
import SignedDocuments

/// Reads what devices of a fleet have told their brokers.
package struct FleetReader: Sendable {
  private let fleet: String
  private let brokers: FleetBrokers
  private let devices: [String]?

  /// - Parameter devices: the devices to ask of by name, as some brokers hand out nothing that they
  ///   retain to those who ask for all; nil for all.
  package init(fleet: String, brokers: FleetBrokers, devices: [String]? = nil) {
    self.fleet = fleet
    self.brokers = brokers
    self.devices = devices
  }

  /// What is asked for at once: few topics, or one shard, so that no broker's queue overflows.
  private var requests: [[String]] {
    guard let devices else {
      return (0..<Topic.shardCount).map { Topic.shardFilters(fleet: fleet, shard: $0) }
    }
    let topics = devices.flatMap { device in
      [Topic.status(fleet: fleet, device: device), .liveness(fleet: fleet, device: device)]
        .map(\.name)
    }
    return stride(from: 0, to: topics.count, by: PublishingLimits.readWindow).map {
      Array(topics[$0...].prefix(PublishingLimits.readWindow))
    }
  }

  /// All devices' last words.
  ///
  /// - Parameter progress: called with the requests that were answered, and their number.
  package func snapshot(progress: (_ done: Int, _ of: Int) -> Void = { _, _ in })
    throws(PublishingError) -> FleetSnapshot
  {
    var snapshot = FleetSnapshot()
    let requests = requests
    try brokers.withSessions { (sessions) throws(PublishingError) in
      for (i, session) in sessions.enumerated() {
        for (j, request) in requests.enumerated() {
          try session.retained(matching: request, isLast: j == requests.count - 1) {
            snapshot.take($0, $1)
          }
          progress(i * requests.count + j + 1, sessions.count * requests.count)
        }
      }
    }
    return snapshot
  }
}
