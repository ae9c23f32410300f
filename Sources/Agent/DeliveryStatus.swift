/// How delivery is doing.
package struct DeliveryStatus: Codable, Sendable, Equatable {
  /// Host and port.
  package var broker: String
  package var connected: Bool
  /// The state of the version on its way, or of the last one.
  package var state: String
  /// The release on its way, or the last one, as `model@version`; empty when there was none.
  package var release: String
  package var progressPercent: Int
  /// The code of what keeps it from going on; left out when nothing does.
  package var cause: String?
  /// Until when the device was told to install nothing, in seconds since 1970; 0 until it is let go,
  /// left out when it may install.
  package var heldUntil: Int64?

  enum CodingKeys: String, CodingKey {
    case broker, connected, state, release, cause
    case progressPercent = "progress_percent"
    case heldUntil = "held_until"
  }

  package init(
    broker: String, connected: Bool, state: String, release: String, progressPercent: Int,
    cause: String? = nil, heldUntil: Int64? = nil
  ) {
    self.broker = broker
    self.connected = connected
    self.state = state
    self.release = release
    self.progressPercent = progressPercent
    self.cause = cause
    self.heldUntil = heldUntil
  }
}
