/// A version of the protocol.
package enum MQTTVersion: Sendable, Equatable {
  case v311
  /// Brokers of it say why they refuse.
  case v5
}

/// Whom to connect to, and as whom.
package struct MQTTConfiguration: Sendable, Equatable {
  /// A field that can be wrong.
  package enum Field: String, Sendable, Equatable {
    case host, port, clientID, username, password, keepAliveSeconds, security
  }

  /// A name or address; a name is resolved while the caller waits, an address is not.
  package var host: String
  package var port: Int
  /// The client identifier; unique per broker, because a second one evicts the first.
  package var clientID: String
  package var username: String?
  package var password: String?
  /// How the connection is protected; nil for plain TCP.
  package var security: MQTTSecurity?
  /// The version that is tried first; a broker that does not speak 5 is then met in 3.1.1.
  package var version = MQTTVersion.v5
  /// Seconds of silence after which a ping is due; 5 ... 65535.
  package var keepAliveSeconds = 60
  /// Milliseconds from the start of an attempt to the broker's acceptance.
  package var connectTimeoutMilliseconds = 10_000

  package init(
    host: String, port: Int, clientID: String, username: String? = nil, password: String? = nil
  ) {
    self.host = host
    self.port = port
    self.clientID = clientID
    self.username = username
    self.password = password
  }

  var address: String { "\(host):\(port)" }

  func validate(_ limits: MQTTLimits) throws(MQTTError) {
    func check(_ text: String, _ field: Field, _ maximum: Int) throws(MQTTError) {
      guard (1...maximum).contains(text.utf8.count), !text.utf8.contains(0) else {
        throw .invalidConfiguration(field: field)
      }
    }
    try check(host, .host, limits.credentialBytesMaximum)
    try check(clientID, .clientID, limits.clientIDBytesMaximum)
    if let username { try check(username, .username, limits.credentialBytesMaximum) }
    if let password { try check(password, .password, limits.credentialBytesMaximum) }
    if let security, !security.isValid { throw .invalidConfiguration(field: .security) }
    guard (1...65535).contains(port) else { throw .invalidConfiguration(field: .port) }
    guard (5...65535).contains(keepAliveSeconds) else {
      throw .invalidConfiguration(field: .keepAliveSeconds)
    }
  }
}
