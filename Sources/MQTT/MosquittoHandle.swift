import CMosquitto
import Glibc

/// One libmosquitto client: one connection attempt and the connection that comes of it.
///
/// The only file that calls the library. Sound because the handle is used by one thread, callbacks
/// run inside that thread's calls, everything a callback is given is copied before it returns, and
/// the library's pointer to `sink` dies in `deinit`, before the sink can.
@safe
final class MosquittoHandle {
  private let client: OpaquePointer
  private let sink: MosquittoSink

  /// Made once per process: initialises the library, and keeps a broken pipe an error, not a
  /// signal.
  private static let initialized: Int32 = {
    signal(SIGPIPE, SIG_IGN)
    return mosquitto_lib_init()
  }()

  init(
    _ configuration: MQTTConfiguration, _ version: MQTTVersion, _ limits: MQTTLimits
  ) throws(MQTTError) {
    try Self.check(Self.initialized)
    let sink = MosquittoSink(limits: limits)
    let context = unsafe Unmanaged.passUnretained(sink).toOpaque()
    guard let client = unsafe mosquitto_new(configuration.clientID, true, context) else {
      throw .system(errno)
    }
    unsafe self.client = client
    self.sink = sink
    unsafe mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1)
    // A clean start without an expiry: the broker keeps no session in either version.
    unsafe mosquitto_int_option(
      client, MOSQ_OPT_PROTOCOL_VERSION,
      version == .v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311)
    // The caller bounds what is in flight; a second bound in the library would only hide it.
    unsafe mosquitto_max_inflight_messages_set(client, 0)
    if let username = configuration.username {
      try Self.check(
        unsafe mosquitto_username_pw_set(client, username, configuration.password))
    }
    if let security = configuration.security { try secure(security) }
    // The callbacks of MQTT 5 are called in both versions.
    unsafe mosquitto_connect_v5_callback_set(client) { _, context, code, _, _ in
      unsafe MosquittoSink.of(context).connected(code: code)
    }
    unsafe mosquitto_disconnect_v5_callback_set(client) { _, context, code, _ in
      // Below are codes of the library, which its calls return as well.
      if code >= MosquittoSink.refusals { unsafe MosquittoSink.of(context).dismissal = code }
    }
    unsafe mosquitto_publish_v5_callback_set(client) { _, context, id, code, _ in
      unsafe MosquittoSink.of(context).events.append(
        code >= MosquittoSink.refusals
          ? .unpublished(id: id, reason: code) : .published(id: id))
    }
    unsafe mosquitto_subscribe_callback_set(client) { _, context, id, count, granted in
      var refused = 0
      if let granted = unsafe granted {
        for i in 0..<Int(count) where unsafe granted[i] > 2 { refused += 1 }
      }
      unsafe MosquittoSink.of(context).events.append(.subscribed(id: id, refused: refused))
    }
    unsafe mosquitto_unsubscribe_callback_set(client) { _, context, id in
      unsafe MosquittoSink.of(context).events.append(.unsubscribed(id: id))
    }
    unsafe mosquitto_message_callback_set(client) { _, context, message in
      guard let message = unsafe message?.pointee else { return }
      unsafe MosquittoSink.of(context).received(message)
    }
  }

  deinit { unsafe mosquitto_destroy(client) }

  private func secure(_ security: MQTTSecurity) throws(MQTTError) {
    switch security {
    case .certificates(let authority, let own):
      try Self.check(
        unsafe mosquitto_tls_set(
          client, authority, authority == nil ? MQTTSecurity.systemAuthorities : nil,
          own?.certificate, own?.key, nil))
      try Self.check(unsafe mosquitto_tls_opts_set(client, 1, "tlsv1.2", nil))
    case .sharedKey(let identity, let key):
      try Self.check(
        unsafe mosquitto_tls_psk_set(client, key, identity, MQTTSecurity.sharedKeyCiphers))
      try Self.check(
        unsafe mosquitto_tls_opts_set(client, 1, "tlsv1.2", MQTTSecurity.sharedKeyCiphers))
    }
  }

  /// Events since the last call, in order.
  func takeEvents() -> [MQTTEvent] {
    defer { sink.events = [] }
    return sink.events
  }

  var eventCount: Int { sink.events.count }
  /// The broker's refusal, when it refused.
  var refusal: Int32? { sink.refusal }
  /// Why the broker ended the connection, when it said so.
  var dismissal: Int32? { sink.dismissal }
  /// The socket, or nil when there is none.
  var descriptor: Int32? {
    let descriptor = unsafe mosquitto_socket(client)
    return descriptor >= 0 ? descriptor : nil
  }
  var wantsWrite: Bool { unsafe mosquitto_want_write(client) }

  /// Starts a connection; only name resolution may block.
  func connect(_ configuration: MQTTConfiguration) -> Int32 {
    unsafe mosquitto_connect_async(
      client, configuration.host, Int32(configuration.port),
      Int32(configuration.keepAliveSeconds))
  }

  func disconnect() { unsafe mosquitto_disconnect(client) }
  func read() -> Int32 { unsafe mosquitto_loop_read(client, 1) }
  func write() -> Int32 { unsafe mosquitto_loop_write(client, 1) }
  /// Keep-alive; to be called about once a second.
  func maintain() -> Int32 { unsafe mosquitto_loop_misc(client) }

  func setWill(_ will: MQTTMessage) throws(MQTTError) {
    let code = unsafe will.payload.withUnsafeBytes { bytes in
      unsafe mosquitto_will_set(
        client, will.topic, Int32(bytes.count), bytes.baseAddress, will.quality.rawValue,
        will.retained)
    }
    try Self.check(code)
  }

  func publish(_ message: MQTTMessage) throws(MQTTError) -> Int32 {
    var id: Int32 = 0
    let code = unsafe message.payload.withUnsafeBytes { bytes in
      unsafe mosquitto_publish(
        client, &id, message.topic, Int32(bytes.count), bytes.baseAddress,
        message.quality.rawValue, message.retained)
    }
    try Self.check(code)
    return id
  }

  func subscribe(_ topics: [String], _ quality: MQTTQuality) throws(MQTTError) -> Int32 {
    var id: Int32 = 0
    let code = unsafe Self.withCStrings(topics) { strings in
      unsafe mosquitto_subscribe_multiple(
        client, &id, Int32(topics.count), strings, quality.rawValue, 0, nil)
    }
    try Self.check(code)
    return id
  }

  func unsubscribe(_ topics: [String]) throws(MQTTError) -> Int32 {
    var id: Int32 = 0
    let code = unsafe Self.withCStrings(topics) { strings in
      unsafe mosquitto_unsubscribe_multiple(client, &id, Int32(topics.count), strings, nil)
    }
    try Self.check(code)
    return id
  }

  private static func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    let copies = unsafe strings.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    // Sound: `copies` is not empty (the client checks), so its buffer has a base.
    return unsafe copies.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
  }

  private static func check(_ code: Int32) throws(MQTTError) {
    switch mosq_err_t(code) {
    case MOSQ_ERR_SUCCESS: return
    case MOSQ_ERR_NO_CONN, MOSQ_ERR_CONN_LOST: throw .notConnected
    case MOSQ_ERR_ERRNO: throw .system(errno)
    default: throw .library(code: code)
    }
  }
}

/// What the library's callbacks leave for the next poll.
private final class MosquittoSink {
  var events: [MQTTEvent] = []
  var refusal: Int32?
  var dismissal: Int32?
  /// Reason codes of MQTT 5 from here on are refusals.
  static let refusals: Int32 = 128
  private let limits: MQTTLimits

  init(limits: MQTTLimits) { self.limits = limits }

  @unsafe
  static func of(_ context: UnsafeMutableRawPointer?) -> MosquittoSink {
    unsafe Unmanaged<MosquittoSink>.fromOpaque(context!).takeUnretainedValue()
  }

  func connected(code: Int32) {
    if code == 0 { events.append(.connected) } else { refusal = code }
  }

  @unsafe
  func received(_ message: mosquitto_message) {
    guard let characters = unsafe message.topic else { return }
    let length = unsafe strnlen(characters, limits.topicBytesMaximum + 1)
    guard length <= limits.topicBytesMaximum else { return }
    let name = unsafe UnsafeRawBufferPointer(start: characters, count: length)
    guard let topic = unsafe String(validating: name, as: UTF8.self) else { return }
    let count = unsafe Int(message.payloadlen)
    guard count <= limits.payloadBytesMaximum else {
      events.append(.oversized(topic: topic, bytes: count))
      return
    }
    let bytes = unsafe UnsafeRawBufferPointer(start: message.payload, count: max(count, 0))
    events.append(
      .message(
        MQTTMessage(
          topic: topic, payload: unsafe [UInt8](bytes),
          quality: unsafe message.qos == 0 ? .atMostOnce : .atLeastOnce,
          retained: unsafe message.retain)))
  }
}
