import Cryptography
import Logging
import MQTT
import ModelDelivery
import ModelStorage
import Serving
import SignedDocuments
import Synchronization

/// The delivery thread's work: waits for the broker, the clock and activations, and tells the
/// machine.
///
/// Unchecked because it is handed over once: `begin` runs before the thread that `run`s, and
/// nothing else is called from outside.
final class DeliveryLoop: DeliveryOutlet, @unchecked Sendable {
  private let setup: DeliveryDriver.Setup
  private let client: MQTTClient
  private let shared: DeliveryShared
  private let log: Logger
  private let activation: VersionActivation
  private let observation: VersionObserver
  private let store: ModelStore
  private let lock: StateLock
  private var reporter: DeliveryReporter
  private var backoff: MQTTBackoff
  private var random = SystemRandomNumberGenerator()
  /// When the next connection is tried, in milliseconds of the delivery clock.
  private var nextAttempt: Int64 = 0
  private var isAttempting = false
  private var hasFailed = false
  /// Whether the last attempt ended because the broker does not want this device.
  private var isRefused = false
  /// Whether the broker has turned down a topic of this connection.
  private var isDenied = false
  /// What was asked of this connection and not answered yet.
  private var asked: [Int32: [String]] = [:]
  private var brokers: BrokerChoice
  /// Whether this connection has brought anything but the device's own words.
  private var hasDelivered = false
  private var installation: Installation?
  private var mirror: (any ReleaseMirror)?
  /// What the file of the installation answered, not yet handled.
  private var answers: [DeliveryEvent] = []
  private lazy var executor = DeliveryExecutor(
    Delivery(setup.profile, record: store.state.flatMap { DeliveryRecord($0) }), store, self)

  init(
    _ setup: DeliveryDriver.Setup, _ client: MQTTClient, _ shared: DeliveryShared,
    _ log: Logger, _ activation: @escaping VersionActivation,
    _ observation: @escaping VersionObserver
  ) throws {
    do {
      lock = try StateLock.take(setup.stateDirectory)
    } catch let holder as StateLock.Holder {
      throw AgentError.stateInUse(
        path: setup.stateDirectory, process: holder.process, program: holder.program)
    }
    self.setup = setup
    self.client = client
    self.shared = shared
    self.log = log
    self.activation = activation
    self.observation = observation
    store = try ModelStore(
      SystemFiles(setup.stateDirectory), syncStrideBytes: setup.syncStrideBytes)
    backoff = setup.backoff
    brokers = BrokerChoice(setup)
    reporter = DeliveryReporter(setup)
    mirror = Self.mirror(setup, client.waker, log)
  }

  /// The mirror that is configured; nil for none, or none that could be asked.
  private static func mirror(
    _ setup: DeliveryDriver.Setup, _ waker: MQTTWaker, _ log: Logger
  ) -> (any ReleaseMirror)? {
    guard let mirror = setup.mirror else { return nil }
    guard mirror.isMirrorAddress else { return MirrorDirectory(mirror) }
    guard !setup.isOffline else { return nil }
    guard HTTPMirror.isAvailable else {
      log.error("there is no mirror", metadata: ["reason": "\(HTTPMirror.absence)"])
      return nil
    }
    return HTTPMirror(mirror, authorities: setup.mirrorAuthorities, log: log) { waker.wake() }
  }

  /// Hands the stored versions to the activation.
  func begin() { handle(.started) }

  /// Delivers until the end is asked for.
  func run() {
    while shared.end.load(ordering: .acquiring) == DeliveryShared.End.none.rawValue {
      connectIfDue()
      returnIfDue()
      for event in client.poll(timeoutMilliseconds: waitMilliseconds()) { take(event) }
      let outcomes = shared.outcomes.withLock { outcomes in
        defer { outcomes = [] }
        return outcomes
      }
      for outcome in outcomes { handle(outcome) }
      takeFromMirror()
      install()
      if executor.delivery.deadline <= DeliveryClock.now().milliseconds { handle(.tick) }
    }
    if shared.end.load(ordering: .acquiring) == DeliveryShared.End.orderly.rawValue {
      handle(.stopping)
      sayGoodbye()
    }
    installation?.completion(.failure(.shuttingDown))
    installation = nil
    mirror?.shutdown()
    lock.release()
  }

  func subscribe(_ topics: [String]) {
    let topics = topics.filter { !isAnsweredHere($0) }
    // At most eight a request, as some brokers take no more.
    for start in stride(from: 0, to: topics.count, by: DeliveryLimits.window) {
      ask(Array(topics[start...].prefix(DeliveryLimits.window)))
    }
  }

  private func ask(_ topics: [String]) {
    guard let id = try? client.subscribe(topics) else { return }
    asked[id] = topics
  }

  /// Answers from a file, when one has the topic; false when the broker is to be asked too.
  private func isAnsweredHere(_ topic: String) -> Bool {
    let payload: [UInt8]
    if let installed = installation?.archive.take(topic) {
      payload = installed
    } else {
      switch mirror?.take(topic) ?? .elsewhere {
      case .payload(let mirrored): payload = mirrored
      case .pending: return true
      case .elsewhere: return false
      }
    }
    answers.append(.message(topic: topic, payload: payload))
    // News of the broker's is still wanted.
    return switch Topic(topic) {
    case .director, .root: false
    default: true
    }
  }

  func unsubscribe(_ topics: [String]) {
    answers.removeAll { answer in
      guard case .message(let topic, _) = answer, topics.contains(topic) else { return false }
      installation?.archive.giveBack(topic)
      mirror?.giveBack(topic)
      return true
    }
    for topic in topics { mirror?.forget(topic) }
    for start in stride(from: 0, to: topics.count, by: DeliveryLimits.window) {
      _ = try? client.unsubscribe(Array(topics[start...].prefix(DeliveryLimits.window)))
    }
  }

  /// Takes in what a mirror gave, and asks the broker for what it did not.
  private func takeFromMirror() {
    for (topic, payload) in mirror?.takeArrivals() ?? [] {
      if let payload { handle(.message(topic: topic, payload: payload)) } else { ask([topic]) }
    }
  }

  func requestSeed(objectID: String) {
    let profile = setup.profile
    let topic = Topic.request(fleet: profile.root.document.fleet, device: profile.device)
    publish(
      MQTTMessage(topic: topic.name, payload: Array(objectID.utf8), quality: .atLeastOnce))
  }

  func reconnect() {
    log.warning("broker left: too little comes from it")
    leave { $0.takeNext() }
  }

  func changeBroker() {
    guard !brokers.isAlone, client.isConnected else { return }
    log.warning("broker left: it lacks what is wanted", metadata: ["broker": "\(brokers.name)"])
    leave { $0.takeNext() }
  }

  /// Goes back to the first broker, unless something comes from this one.
  private func returnIfDue() {
    let now = DeliveryClock.now()
    guard client.isConnected, now.milliseconds >= brokers.returnDeadline else { return }
    let isFetching = executor.delivery.statuses(now: now).contains { $0.state == .fetching }
    guard !isFetching else { return brokers.connected(now: now.milliseconds) }
    log.info("back to the first broker")
    leave { $0.takeFirst() }
  }

  private func leave(_ choose: (inout BrokerChoice) -> Void) {
    sayGoodbye()
    choose(&brokers)
  }

  func acknowledge(sequence: Int64, code: String) {
    let topic = Topic.acknowledgement(
      fleet: setup.profile.root.document.fleet, device: setup.profile.device)
    publish(
      MQTTMessage(
        topic: topic.name,
        payload: AcknowledgementDocument(sequence: sequence, code: code).encode(),
        quality: .atLeastOnce))
    log.info("command", metadata: ["sequence": "\(sequence)", "code": "\(code)"])
  }

  func observe(model: String, version: Int64) -> VersionObservation? {
    observation(model, version)
  }

  func activate(model: String, version: Int64, proof: DeliveryEffect.Proof) {
    guard let path = try? ModelStore.bundlePath(.init(model: model, version: version)) else {
      return
    }
    var source = VersionSource(
      model: model, version: version, path: "\(setup.stateDirectory)/\(path)",
      requiresProof: proof.requiresVectors,
      latencyRatioMaximum: proof.latencyRatio.map { Int(clamping: $0) },
      memoryBytesMaximum: proof.memoryBytes.map { Int(clamping: $0) })
    source.weightsPlace = .store(model: model, version: version)
    source.keepsComposites = proof.keepsPipelines
    let shared = shared
    activation(source) { result in
      let failure: Cause? =
        switch result {
        case .success: nil
        case .failure(let failure): Cause(rawValue: failure.code) ?? .modelInvalid
        }
      shared.outcomes.withLock {
        $0.append(.activated(model: model, version: version, failure: failure))
      }
      shared.waker.wake()
    }
  }

  private func handle(_ event: DeliveryEvent) {
    let now = DeliveryClock.now()
    executor.handle(event, now: now)
    report(now)
  }

  private func take(_ event: MQTTEvent) {
    switch event {
    case .connected:
      isAttempting = false
      (hasFailed, hasDelivered, isRefused, isDenied) = (false, false, false, false)
      brokers.connected(now: DeliveryClock.now().milliseconds)
      log.info(
        "broker connected",
        metadata: ["broker": "\(brokers.name)", "mqtt": client.version == .v5 ? "5" : "3.1.1"])
      // Before the own birth: what lies there tells who came last under this name.
      ask([reporter.livenessTopic])
      publish(reporter.birth())
      if !brokers.isAlone { handle(.broker(brokers.index)) }
      handle(.connected)
    case .disconnected(let reason):
      isAttempting = false
      hasFailed = true
      isRefused = reason.isRefusalOfClient
      asked = [:]
      let wait = backoff.next(using: &random)
      nextAttempt = DeliveryClock.now().milliseconds + Int64(wait)
      log.warning(
        "broker lost", metadata: ["reason": "\(reason)", "retry_ms": "\(wait)"])
      brokers.disconnected()
      // One that was left has been followed by another already.
      if !hasDelivered, reason != .requested { brokers.takeNext() }
      hasDelivered = false
      handle(.disconnected)
    case .message(let message):
      if message.topic == reporter.livenessTopic {
        if reporter.isForeign(message.payload) { noteForeign() }
        return
      }
      // A broker that delivers is worth coming back to at once, unless two take turns at it.
      hasDelivered = true
      if !brokers.isDuplicated { backoff.reset() }
      handle(.message(topic: message.topic, payload: message.payload))
    case .subscribed(let id, let refused):
      let topics = asked.removeValue(forKey: id) ?? []
      if refused > 0 { noteDenied("subscribe", topics) }
    case .unpublished(let id, let reason):
      let topics = asked.removeValue(forKey: id) ?? []
      if reason == Self.notAuthorized { noteDenied("publish", topics) }
    case .published(let id): asked[id] = nil
    case .oversized, .unsubscribed, .woken: break
    }
  }

  /// The reason code of MQTT 5 of what an access list keeps from a client.
  private static let notAuthorized: Int32 = 0x87

  /// Notes that the broker turned down some of `topics`; told once a connection.
  private func noteDenied(_ what: String, _ topics: [String]) {
    if !isDenied {
      log.warning(
        "the broker does not let this device \(what)",
        metadata: ["topics": "\(topics.joined(separator: " "))"])
    }
    isDenied = true
    report(DeliveryClock.now())
  }

  private func noteForeign() {
    brokers.noteForeignBirth()
    guard brokers.isDuplicated else { return }
    log.error(
      "another device uses this one's name", metadata: ["device": "\(setup.profile.device)"])
  }

  private func connectIfDue() {
    let now = DeliveryClock.now().milliseconds
    guard !setup.isOffline, !client.isConnected, !isAttempting, now >= nextAttempt else { return }
    isAttempting = true
    let birth = executor.nextBirth()
    do throws(MQTTError) {
      try client.connect(to: brokers.current, will: reporter.death(birth))
    } catch {
      isAttempting = false
      hasFailed = true
      nextAttempt = now + Int64(backoff.next(using: &random))
      log.error("broker cannot be tried", metadata: ["reason": "\(error)"])
      report(DeliveryClock.now())
    }
  }

  private func waitMilliseconds() -> Int {
    let now = DeliveryClock.now().milliseconds
    var until = min(executor.delivery.deadline, now + AgentLimits.deliveryPollMilliseconds)
    if !answers.isEmpty { return 0 }
    if let installation { until = min(until, installation.deadline) }
    if client.isConnected { until = min(until, brokers.returnDeadline) }
    if !setup.isOffline && !client.isConnected && !isAttempting { until = min(until, nextAttempt) }
    return Int(max(0, until - now))
  }

  /// Begins the installation that was asked for first, and brings it on.
  private func install() {
    if installation == nil,
      let order = shared.orders.withLock({ $0.isEmpty ? nil : $0.removeFirst() })
    {
      begin(order)
    }
    while !answers.isEmpty { handle(answers.removeFirst()) }
    guard let installation else { return }
    let now = DeliveryClock.now()
    let isOver = now.milliseconds >= installation.deadline
    let statuses = executor.delivery.statuses(now: now)
    guard let status = statuses.first(where: { $0.model == installation.model }),
      let report = installation.report(status, isExhausted: isOver || !client.isConnected)
    else { return }
    self.installation = nil
    handle(.detached)
    installation.completion(.success(report))
  }

  private func begin(_ order: DeliveryShared.Order) {
    let profile = setup.profile
    do throws(InstallRefusal) {
      installation = try Installation(
        order.path, fleet: profile.root.document.fleet, models: profile.models,
        deadline: DeliveryClock.now().milliseconds + AgentLimits.installMilliseconds,
        completion: order.completion)
    } catch {
      return order.completion(.failure(error))
    }
    log.info("installing from a file", metadata: ["path": "\(order.path)"])
    handle(.attached)
  }

  private func report(_ now: DeliveryTime) {
    let statuses = executor.delivery.statuses(now: now)
    for change in reporter.changes(statuses) {
      log.info(
        "delivery",
        metadata: [
          "model": "\(change.model)", "state": "\(change.state.rawValue)",
          "version": "\(change.target ?? 0)", "cause": "\(change.cause?.rawValue ?? "none")",
        ])
    }
    let snapshot = reporter.snapshot(
      statuses, broker: brokers.name, isConnected: client.isConnected,
      connectionCause: connectionCause,
      heldUntil: executor.delivery.heldUntil(now: now))
    shared.status.withLock { $0 = snapshot }
    if client.isConnected, let message = reporter.status(
      statuses, command: executor.delivery.commandSequence,
      heldUntil: executor.delivery.heldUntil(now: now), now, observation)
    { publish(message) }
  }

  /// What is wrong with the broker or between it and this device; nil when nothing is.
  private var connectionCause: Cause? {
    if brokers.isDuplicated { return .duplicateID }
    if client.isConnected { return isDenied ? .notAuthorized : nil }
    return isRefused ? .brokerRefused : hasFailed ? .brokerUnreachable : nil
  }

  private func publish(_ message: MQTTMessage) {
    guard let id = try? client.publish(message), message.quality == .atLeastOnce else { return }
    asked[id] = [message.topic]
  }

  private func sayGoodbye() {
    guard client.isConnected else { return }
    publish(reporter.goodbye())
    client.disconnect()
  }
}
