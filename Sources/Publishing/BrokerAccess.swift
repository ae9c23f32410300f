/// Who may do what on a fleet's broker, as mosquitto's files say it.
package struct BrokerAccess: Sendable {
  private let fleet: String

  /// - Precondition: `fleet` is a token.
  package init(fleet: String) { self.fleet = fleet }

  /// The user that publishes releases.
  package var publisher: String { "pub-\(fleet)" }
  /// The user that directs devices.
  package var director: String { "dir-\(fleet)" }

  /// An `acl_file`. Devices are the users of whom nothing else is said; each writes under its own
  /// name alone.
  package var accessList: String {
    let prefix = "es/1/\(fleet)"
    return """
      # Publishes releases, and reads them back.
      user \(publisher)
      topic readwrite \(prefix)/root/#
      topic readwrite \(prefix)/rel/#
      topic readwrite \(prefix)/o/#
      topic readwrite \(prefix)/dir/#
      topic read \(prefix)/q/#

      # Directs devices and reads what they tell.
      user \(director)
      topic read \(prefix)/rel/#
      topic readwrite \(prefix)/dir/#
      topic readwrite \(prefix)/c/#
      topic read \(prefix)/s/#
      topic read \(prefix)/l/#
      topic read \(prefix)/a/#

      # Devices: the user name is the device's name. Patterns hold for every user of the broker, so
      # give each fleet a broker, or a listener with per_listener_settings, of its own.
      pattern read \(prefix)/root/#
      pattern read \(prefix)/dir/#
      pattern read \(prefix)/rel/#
      pattern read \(prefix)/o/#
      pattern read \(prefix)/c/%u
      pattern write \(prefix)/s/+/%u
      pattern readwrite \(prefix)/l/+/%u
      pattern write \(prefix)/a/+/%u
      pattern write \(prefix)/q/%u

      """
  }

  /// The part of `mosquitto.conf` that goes with it.
  package func configuration(accessListPath: String, passwordPath: String, port: Int) -> String {
    """
    per_listener_settings true
    listener \(port)
    allow_anonymous false
    acl_file \(accessListPath)
    password_file \(passwordPath)
    # A device can be nobody but itself.
    use_username_as_clientid true
    # Without it each window of blocks waits for the peer's delayed acknowledgement.
    set_tcp_nodelay true
    # The largest block is 256 KiB.
    max_packet_size 300000
    max_queued_messages 2000
    # Retained blocks are published again after a restart; writing them out costs more.
    persistence false

    """
  }
}
