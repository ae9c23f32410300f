/// Where versions are delivered from, and who this device is.
package struct DeliveryConfiguration: Sendable, Equatable {
  /// An MQTT 3.1.1 broker.
  package struct Broker: Sendable, Equatable {
    package var host: String
    package var port: Int = 1883
    package var username: String?
    /// A file whose first line is the password.
    package var passwordFile: String?

    package init(
      host: String, port: Int = 1883, username: String? = nil, passwordFile: String? = nil
    ) {
      self.host = host
      self.port = port
      self.username = username
      self.passwordFile = passwordFile
    }
  }

  package var broker: Broker
  package var fleet: String
  package var device: String
  /// The trusted root document that the device was given.
  package var rootKeyFile: String
  package var models: [String]
  /// Labels by which a rollout may mean this device.
  package var labels: [String]
  /// The shortest wait before a lost broker is tried again; nil for the default.
  package var reconnectMinimumMilliseconds: Int?
  /// The longest wait before a lost broker is tried again; nil for the default.
  package var reconnectMaximumMilliseconds: Int?

  package init(
    broker: Broker, fleet: String, device: String, rootKeyFile: String, models: [String],
    labels: [String] = [], reconnectMinimumMilliseconds: Int? = nil, reconnectMaximumMilliseconds: Int? = nil
  ) {
    self.broker = broker
    self.fleet = fleet
    self.device = device
    self.rootKeyFile = rootKeyFile
    self.models = models
    self.labels = labels
    self.reconnectMinimumMilliseconds = reconnectMinimumMilliseconds
    self.reconnectMaximumMilliseconds = reconnectMaximumMilliseconds
  }
}
