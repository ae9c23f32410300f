/// Every bound of the MQTT client, in one place.
package struct MQTTLimits: Sendable, Equatable {
  /// The longest topic accepted in either direction, in bytes of UTF-8.
  package var topicBytesMaximum = 256
  /// The largest payload handed on or published, in bytes; a larger inbound one is dropped and
  /// told.
  ///
  /// The library has already allocated an inbound message of any announced length by the time that
  /// this is checked; the bound on that allocation is the process's data limit.
  package var payloadBytesMaximum = 300 * 1024
  /// The most topics of one subscribe or unsubscribe request.
  package var topicsPerRequestMaximum = 64
  /// The most events that one poll returns; what is beyond it stays in the socket.
  package var eventsPerPollMaximum = 16
  /// The longest client identifier, in bytes of UTF-8.
  package var clientIDBytesMaximum = 128
  /// The longest host, user name or password, in bytes of UTF-8.
  package var credentialBytesMaximum = 1024

  /// How long an orderly end waits for the broker to close, in milliseconds.
  package var closeMilliseconds: Int64 = 250

  package init() {}
}
