/// Why a call of the MQTT client was refused.
package enum MQTTError: Error, Equatable, Sendable {
  /// There is no connection (yet, or any more).
  case notConnected
  /// An attempt is under way or a connection stands already.
  case alreadyConnecting
  /// A topic is empty, not valid UTF-8, or holds a wildcard where none may be.
  case malformedTopic(String)
  /// A topic is longer than the limit, in bytes.
  case topicTooLong(limit: Int, actual: Int)
  /// A payload is larger than the limit, in bytes.
  case payloadTooLarge(limit: Int, actual: Int)
  /// A request names no topic, or more than the limit.
  case topicCount(limit: Int, actual: Int)
  /// A host, client identifier, user name or password is empty, too long or holds a NUL.
  case invalidConfiguration(field: MQTTConfiguration.Field)
  /// The system refused a call; the number is an `errno`.
  case system(Int32)
  /// The library refused a call; the number is a `MOSQ_ERR_` code.
  case library(code: Int32)
}
