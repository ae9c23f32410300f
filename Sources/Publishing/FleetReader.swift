package import MQTT
import SignedDocuments

/// Reads what devices of a fleet have told their broker.
package struct FleetReader: Sendable {
  private let fleet: String
  private let broker: MQTTConfiguration

  package init(fleet: String, broker: MQTTConfiguration) {
    self.fleet = fleet
    self.broker = broker
  }

  /// All devices' last words, read one shard at a time so that no broker's queue overflows.
  ///
  /// - Parameter progress: called with each shard's number, 1 to 256.
  package func snapshot(progress: (Int) -> Void = { _ in }) throws(PublishingError)
    -> FleetSnapshot
  {
    let session = try BrokerSession(broker)
    try session.connect()
    defer { session.disconnect() }
    var snapshot = FleetSnapshot()
    for shard in 0..<Topic.shardCount {
      try session.retained(
        matching: Topic.shardFilters(fleet: fleet, shard: shard),
        isLast: shard == Topic.shardCount - 1
      ) { snapshot.take($0, $1) }
      progress(shard + 1)
    }
    return snapshot
  }
}
