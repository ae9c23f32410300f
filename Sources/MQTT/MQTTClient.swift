import CMosquitto
import Glibc

/// A client of one MQTT broker, driven by one thread's polls; it speaks MQTT 5, or 3.1.1 to a
/// broker that does not.
///
/// Thread-confined: only its `waker` may be used from elsewhere. Each connection is a clean session
/// of its own: after `.disconnected` nothing is queued, subscribed or resent, and the owner decides
/// when to call `connect` again (see `MQTTBackoff`). Nothing blocks but `poll`, and name
/// resolution.
package final class MQTTClient {
  /// Ends a poll early, from any thread.
  package let waker: MQTTWaker
  /// True from the broker's acceptance to the end of the connection.
  package private(set) var isConnected = false
  /// The version of the connection or attempt.
  package private(set) var version = MQTTVersion.v5
  private var configuration: MQTTConfiguration
  private var will: MQTTMessage?
  /// Brokers, by host and port, that took a connection in 3.1.1 after they took none in 5.
  private var olderBrokers: Set<String> = []
  private let limits: MQTTLimits
  private var handle: MosquittoHandle?
  private var connectDeadline: Int64 = 0
  private var nextMaintenance: Int64 = 0
  private var pending: [MQTTEvent] = []

  package init(
    _ configuration: MQTTConfiguration, limits: MQTTLimits = MQTTLimits()
  ) throws(MQTTError) {
    try configuration.validate(limits)
    self.configuration = configuration
    self.limits = limits
    waker = try MQTTWaker()
  }

  /// Throws when a client cannot be made of `configuration`.
  package static func validate(
    _ configuration: MQTTConfiguration, limits: MQTTLimits = MQTTLimits()
  ) throws(MQTTError) { try configuration.validate(limits) }

  /// Starts an attempt, whose outcome a later poll tells: `.connected` or `.disconnected`.
  ///
  /// - Parameters:
  ///   - other: the broker to connect to from now on; nil for the one of before.
  ///   - will: what the broker publishes when this connection ends without `disconnect()`.
  package func connect(to other: MQTTConfiguration? = nil, will: MQTTMessage? = nil)
    throws(MQTTError)
  {
    guard handle == nil else { throw .alreadyConnecting }
    if let other {
      try other.validate(limits)
      configuration = other
    }
    if let will {
      try check(topic: will.topic, wildcards: false)
      try check(payload: will.payload)
    }
    self.will = will
    try open(olderBrokers.contains(configuration.address) ? .v311 : configuration.version)
  }

  private func open(_ version: MQTTVersion) throws(MQTTError) {
    self.version = version
    let handle = try MosquittoHandle(configuration, version, limits)
    if let will { try handle.setWill(will) }
    let code = handle.connect(configuration)
    switch mosq_err_t(code) {
    case MOSQ_ERR_SUCCESS, MOSQ_ERR_CONN_PENDING:
      self.handle = handle
      let now = Self.milliseconds()
      connectDeadline = now + Int64(configuration.connectTimeoutMilliseconds)
      nextMaintenance = now + 1000
    case MOSQ_ERR_EAI: pending.append(.disconnected(.unresolvedHost))
    case MOSQ_ERR_ERRNO: pending.append(.disconnected(.lost(errno: errno)))
    // Found out at once when the peer is near.
    case MOSQ_ERR_TLS: pending.append(.disconnected(.library(code: code)))
    default: throw .library(code: code)
    }
  }

  /// Ends the connection in order, so that the broker does not publish the will.
  ///
  /// What was published before is written first as far as the socket takes it at once.
  package func disconnect() {
    guard let handle else { return }
    if isConnected {
      handle.disconnect()
      awaitClose(handle)
      pending += handle.takeEvents()
    }
    end(.requested)
  }

  /// Reads until the broker has closed, for a bounded time: a socket that is closed over unread bytes resets the
  /// connection, the broker may then never see the farewell, and it tells the last will as well.
  private func awaitClose(_ handle: MosquittoHandle) {
    let deadline = Self.milliseconds() + limits.closeMilliseconds
    while let socket = handle.descriptor {
      let left = deadline - Self.milliseconds()
      guard left > 0 else { return }
      let events = POLLIN | (handle.wantsWrite ? POLLOUT : 0)
      var descriptor = pollfd(fd: socket, events: Int16(events), revents: 0)
      // Sound: one descriptor is passed, and its count.
      guard unsafe Glibc.poll(&descriptor, 1, Int32(clamping: left)) > 0 else { return }
      if Int32(descriptor.revents) & POLLOUT != 0, handle.write() != 0 { return }
      if Int32(descriptor.revents) & ~POLLOUT != 0, handle.read() != 0 { return }
    }
  }

  /// Waits for events, at most `timeoutMilliseconds`; returns at once when there are some.
  package func poll(timeoutMilliseconds: Int) -> [MQTTEvent] {
    let deadline = Self.milliseconds() + Int64(clamping: max(timeoutMilliseconds, 0))
    while true {
      let now = Self.milliseconds()
      maintain(now)
      let idle = pending.isEmpty && (handle?.eventCount ?? 0) == 0
      let full = pending.count + (handle?.eventCount ?? 0) >= limits.eventsPerPollMaximum
      if full { break }
      let until = handle == nil ? deadline : min(deadline, nextMaintenance, attemptDeadline)
      let found = wait(milliseconds: idle ? max(0, until - now) : 0)
      if !found && (!idle || Self.milliseconds() >= deadline) { break }
    }
    if let handle { pending += handle.takeEvents() }
    defer { pending = [] }
    return pending
  }

  /// Asks the broker to deliver `topics`; answered by `.subscribed` with the returned number.
  @discardableResult
  package func subscribe(
    _ topics: [String], _ quality: MQTTQuality = .atMostOnce
  ) throws(MQTTError) -> Int32 {
    try check(topics: topics)
    return try connected().subscribe(topics, quality)
  }

  /// Asks the broker to deliver `topics` no more; answered by `.unsubscribed`.
  @discardableResult
  package func unsubscribe(_ topics: [String]) throws(MQTTError) -> Int32 {
    try check(topics: topics)
    return try connected().unsubscribe(topics)
  }

  /// Sends a message; answered by `.published` with the returned number.
  ///
  /// The library queues what the socket does not take, without a bound: the caller keeps the number
  /// of unanswered messages small.
  @discardableResult
  package func publish(_ message: MQTTMessage) throws(MQTTError) -> Int32 {
    try check(topic: message.topic, wildcards: false)
    try check(payload: message.payload)
    return try connected().publish(message)
  }

  private var attemptDeadline: Int64 { isConnected ? .max : connectDeadline }

  private func connected() throws(MQTTError) -> MosquittoHandle {
    guard isConnected, let handle else { throw .notConnected }
    return handle
  }

  /// Waits for the socket or the waker, and serves what is ready; false when nothing was.
  private func wait(milliseconds: Int64) -> Bool {
    var descriptors = [pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0)]
    if let handle, let socket = handle.descriptor {
      let events = POLLIN | (handle.wantsWrite || !isConnected ? POLLOUT : 0)
      descriptors.append(pollfd(fd: socket, events: Int16(events), revents: 0))
    }
    // Sound: the array is not resized during the call, and its own count is passed.
    let ready = unsafe Glibc.poll(
      &descriptors, nfds_t(descriptors.count), Int32(clamping: milliseconds))
    guard ready > 0 else { return false }
    if descriptors[0].revents != 0, waker.drain() { pending.append(.woken) }
    if descriptors.count > 1 { serve(Int32(descriptors[1].revents)) }
    return true
  }

  private func serve(_ ready: Int32) {
    guard ready != 0, let handle else { return }
    errno = 0
    if ready & POLLOUT != 0 { finish(handle.write(), handle) }
    if ready & (POLLIN | POLLHUP | POLLERR) != 0, self.handle === handle {
      errno = 0
      finish(handle.read(), handle)
      if configuration.security != nil { readOn(handle) }
    }
  }

  /// Reads what TLS has taken from the socket and the socket no longer tells of: until two reads in
  /// a row bring nothing, because one may have taken in an answer that is no event.
  private func readOn(_ handle: MosquittoHandle) {
    var fruitless = 0
    while self.handle === handle, fruitless < 2, pending.count < 4 * limits.eventsPerPollMaximum {
      let count = pending.count
      errno = 0
      finish(handle.read(), handle)
      fruitless = pending.count == count ? fruitless + 1 : 0
    }
  }

  /// Takes the outcome of a library call: notes acceptance, and ends what has failed.
  private func finish(_ code: Int32, _ handle: MosquittoHandle) {
    let failure = errno
    let events = handle.takeEvents()
    if events.contains(.connected) {
      isConnected = true
      if version != configuration.version { olderBrokers.insert(configuration.address) }
    }
    pending += events
    guard code != 0 || handle.descriptor == nil else { return }
    if let refusal = handle.refusal { return end(.refused(code: refusal)) }
    if let dismissal = handle.dismissal { return end(.dismissed(reason: dismissal)) }
    switch mosq_err_t(code) {
    case MOSQ_ERR_SUCCESS, MOSQ_ERR_CONN_LOST, MOSQ_ERR_NO_CONN: end(.lost(errno: 0))
    case MOSQ_ERR_ERRNO: end(.lost(errno: failure))
    default: end(.library(code: code))
    }
  }

  private func maintain(_ now: Int64) {
    guard let handle else { return }
    if !isConnected && now >= connectDeadline { return end(.timedOut) }
    guard now >= nextMaintenance else { return }
    nextMaintenance = now + 1000
    errno = 0
    finish(handle.maintain(), handle)
  }

  private func end(_ reason: MQTTDisconnection) {
    guard handle != nil else { return }
    handle = nil
    if !isConnected, version == .v5, reason.isPerhapsOfVersion {
      // What cannot be opened now is told as what ended the attempt before it.
      do throws(MQTTError) { return try open(.v311) } catch {}
    }
    isConnected = false
    pending.append(.disconnected(reason))
  }

  private func check(topics: [String]) throws(MQTTError) {
    guard (1...limits.topicsPerRequestMaximum).contains(topics.count) else {
      throw .topicCount(limit: limits.topicsPerRequestMaximum, actual: topics.count)
    }
    for topic in topics { try check(topic: topic, wildcards: true) }
  }

  private func check(topic: String, wildcards: Bool) throws(MQTTError) {
    guard topic.utf8.count <= limits.topicBytesMaximum else {
      throw .topicTooLong(limit: limits.topicBytesMaximum, actual: topic.utf8.count)
    }
    let forbidden: Set<UInt8> = wildcards ? [0] : [0, UInt8(ascii: "+"), UInt8(ascii: "#")]
    guard !topic.isEmpty, !topic.utf8.contains(where: forbidden.contains) else {
      throw .malformedTopic(topic)
    }
  }

  private func check(payload: [UInt8]) throws(MQTTError) {
    guard payload.count <= limits.payloadBytesMaximum else {
      throw .payloadTooLarge(limit: limits.payloadBytesMaximum, actual: payload.count)
    }
  }

  private static func milliseconds() -> Int64 {
    var time = timespec()
    // Sound: the pointer is to a local variable of the type that the call fills.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
