import SignedDocuments

/// What the machines of all models share.
struct DeliveryContext {
  let profile: DeviceProfile
  /// The newest root.
  var root: TrustedRoot
  /// Whether the broker is there.
  var isBrokerConnected = false
  /// Which of several brokers it is; nil where there is but one.
  var broker: Int?
  /// Until when nothing is installed, in seconds since 1970; 0 until the device is let go, nil when
  /// it is.
  var hold: Int64?
  /// Whether a file is there that answers like a broker.
  var isAttached = false
  /// Whether there is anyone to ask.
  var isConnected: Bool { isBrokerConnected || isAttached }
  /// The latest time that a signed document vouched for, in seconds since 1970.
  var vouchedTime: Int64
  var jitter: Jitter

  var fleet: String { root.document.fleet }

  /// Seconds since 1970, never before what a signed document has vouched for.
  func seconds(_ now: DeliveryTime) -> Int64 { max(now.wallSeconds, vouchedTime) }

  /// The hold, unless it is over.
  func holding(_ now: DeliveryTime) -> Int64? {
    guard let hold, hold == 0 || seconds(now) < hold else { return nil }
    return hold
  }
}
