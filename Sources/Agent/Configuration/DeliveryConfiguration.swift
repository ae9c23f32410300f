/// Where versions are delivered from, and who this device is.
package struct DeliveryConfiguration: Sendable, Equatable {
  /// An MQTT broker.
  package struct Broker: Sendable, Equatable {
    package var host: String
    package var port: Int = 1883
    package var username: String?
    /// A file whose first line is the password.
    package var passwordFile: String?
    /// How the connection is protected; nil for plain TCP.
    package var protection: Protection?

    package init(
      host: String, port: Int = 1883, username: String? = nil, passwordFile: String? = nil,
      protection: Protection? = nil
    ) {
      self.protection = protection
      self.host = host
      self.port = port
      self.username = username
      self.passwordFile = passwordFile
    }
  }

  /// The files of a TLS connection.
  package struct Protection: Sendable, Equatable {
    /// The authorities that are trusted, in PEM; the system's when nil.
    package var authorityFile: String?
    /// The device's own certificate and key, in PEM; both or neither.
    package var certificateFile: String?
    package var keyFile: String?
    /// The name of a shared key, which takes the place of certificates.
    package var identity: String?
    /// A file whose first line is the shared key in hexadecimal.
    package var sharedKeyFile: String?

    package init(
      authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
      identity: String? = nil, sharedKeyFile: String? = nil
    ) {
      self.authorityFile = authorityFile
      self.certificateFile = certificateFile
      self.keyFile = keyFile
      self.identity = identity
      self.sharedKeyFile = sharedKeyFile
    }
  }

  package var broker: Broker
  /// Brokers that are tried in this order while the ones before cannot be reached, or do not
  /// deliver.
  package var fallbackBrokers: [Broker]
  package var fleet: String
  package var device: String
  /// The trusted root document that the device was given.
  package var rootKeyFile: String
  package var models: [String]
  /// Labels by which a rollout may mean this device.
  package var labels: [String]
  /// A directory with releases in files, or an http or https address with a file for each topic below
  /// it, asked before the broker; nil for none.
  package var mirror: String?
  /// The authorities that are trusted with an https address, in PEM; the system's when nil.
  package var mirrorAuthorityFile: String?
  /// Encoded bytes of the largest update that the link may carry; nil where they cost nothing.
  package var meteredBytes: Int?
  /// Bytes of a version being fetched after which what was written is made durable; nil for the
  /// default.
  package var syncStrideBytes: Int?
  /// The shortest wait before a lost broker is tried again; nil for the default.
  package var reconnectMinimumMilliseconds: Int?
  /// The longest wait before a lost broker is tried again; nil for the default.
  package var reconnectMaximumMilliseconds: Int?

  package init(
    broker: Broker, fallbackBrokers: [Broker] = [], fleet: String, device: String,
    rootKeyFile: String, models: [String],
    labels: [String] = [], mirror: String? = nil, mirrorAuthorityFile: String? = nil,
    meteredBytes: Int? = nil,
    syncStrideBytes: Int? = nil,
    reconnectMinimumMilliseconds: Int? = nil, reconnectMaximumMilliseconds: Int? = nil
  ) {
    self.broker = broker
    self.fallbackBrokers = fallbackBrokers
    self.fleet = fleet
    self.device = device
    self.rootKeyFile = rootKeyFile
    self.models = models
    self.labels = labels
    self.mirror = mirror
    self.mirrorAuthorityFile = mirrorAuthorityFile
    self.meteredBytes = meteredBytes
    self.syncStrideBytes = syncStrideBytes
    self.reconnectMinimumMilliseconds = reconnectMinimumMilliseconds
    self.reconnectMaximumMilliseconds = reconnectMaximumMilliseconds
  }
}

extension String {
  /// Whether a mirror is an address, and no directory.
  package var isMirrorAddress: Bool { hasPrefix("http://") || hasPrefix("https://") }
}
