import MQTT

/// Which of several brokers a device is at: the first, unless it fails.
struct BrokerChoice {
  private let brokers: [MQTTConfiguration]
  private(set) var index = 0
  /// When the first one is tried again, in milliseconds of the delivery clock.
  private(set) var returnDeadline = Int64.max
  /// How long another one is stayed at, in milliseconds.
  private let stay: Int64
  /// Words of other starts under this device's name, for each broker.
  private var foreignBirths: [Int]

  init(_ setup: DeliveryDriver.Setup) {
    brokers = [setup.broker] + setup.fallbackBrokers
    stay = setup.fallbackMilliseconds
    foreignBirths = brokers.map { _ in 0 }
  }

  var current: MQTTConfiguration { brokers[index] }
  /// As status documents name it.
  var name: String { "\(current.host):\(current.port)" }
  var isAlone: Bool { brokers.count == 1 }

  mutating func takeNext() { index = (index + 1) % brokers.count }

  mutating func takeFirst() { index = 0 }

  /// Notes that the broker accepted, at `now`.
  mutating func connected(now: Int64) { returnDeadline = index == 0 ? .max : now + stay }

  mutating func disconnected() { returnDeadline = .max }

  /// The first word on each broker is this agent's own last start; more are another's.
  mutating func noteForeignBirth() { foreignBirths[index] += 1 }

  /// Whether another device uses this one's name.
  var isDuplicated: Bool { foreignBirths.contains { $0 >= AgentLimits.foreignBirthsMaximum } }
}
