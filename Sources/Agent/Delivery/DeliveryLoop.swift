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
  private let store: ModelStore
  private var reporter: DeliveryReporter
  private var backoff: MQTTBackoff
  private var random = SystemRandomNumberGenerator()
  /// When the next connection is tried, in milliseconds of the delivery clock.
  private var nextAttempt: Int64 = 0
  private var isAttempting = false
  private var hasFailed = false
  private lazy var executor = DeliveryExecutor(
    Delivery(setup.profile, record: store.state.flatMap { DeliveryRecord($0) }), store, self)

  init(
    _ setup: DeliveryDriver.Setup, _ client: MQTTClient, _ shared: DeliveryShared,
    _ log: Logger, _ activation: @escaping VersionActivation
  ) throws(StorageError) {
    self.setup = setup
    self.client = client
    self.shared = shared
    self.log = log
    self.activation = activation
    store = try ModelStore(SystemFiles(setup.stateDirectory))
    backoff = setup.backoff
    reporter = DeliveryReporter(setup)
  }

  /// Hands the stored versions to the activation.
  func begin() { handle(.started) }

  /// Delivers until the end is asked for.
  func run() {
    while shared.end.load(ordering: .acquiring) == DeliveryShared.End.none.rawValue {
      connectIfDue()
      for event in client.poll(timeoutMilliseconds: waitMilliseconds()) { take(event) }
      let outcomes = shared.outcomes.withLock { outcomes in
        defer { outcomes = [] }
        return outcomes
      }
      for outcome in outcomes { handle(outcome) }
      if executor.delivery.deadline <= DeliveryClock.now().milliseconds { handle(.tick) }
    }
    if shared.end.load(ordering: .acquiring) == DeliveryShared.End.orderly.rawValue {
      sayGoodbye()
    }
  }

  func subscribe(_ topics: [String]) {
    // At most eight a request, as some brokers take no more.
    for start in stride(from: 0, to: topics.count, by: DeliveryLimits.window) {
      _ = try? client.subscribe(Array(topics[start...].prefix(DeliveryLimits.window)))
    }
  }

  func unsubscribe(_ topics: [String]) {
    for start in stride(from: 0, to: topics.count, by: DeliveryLimits.window) {
      _ = try? client.unsubscribe(Array(topics[start...].prefix(DeliveryLimits.window)))
    }
  }

  func activate(model: String, version: Int64, requiresProof: Bool) {
    guard let path = try? ModelStore.bundlePath(.init(model: model, version: version)) else {
      return
    }
    let source = VersionSource(
      model: model, version: version, path: "\(setup.stateDirectory)/\(path)",
      requiresProof: requiresProof)
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
      hasFailed = false
      log.info("broker connected", metadata: ["broker": "\(setup.broker.host)"])
      publish(reporter.birth())
      handle(.connected)
    case .disconnected(let reason):
      isAttempting = false
      hasFailed = true
      let wait = backoff.next(using: &random)
      nextAttempt = DeliveryClock.now().milliseconds + Int64(wait)
      log.warning(
        "broker lost", metadata: ["reason": "\(reason)", "retry_ms": "\(wait)"])
      handle(.disconnected)
    case .message(let message):
      // A broker that delivers is worth coming back to at once.
      backoff.reset()
      handle(.message(topic: message.topic, payload: message.payload))
    case .oversized, .published, .subscribed, .unsubscribed, .woken: break
    }
  }

  private func connectIfDue() {
    let now = DeliveryClock.now().milliseconds
    guard !client.isConnected, !isAttempting, now >= nextAttempt else { return }
    isAttempting = true
    let birth = executor.nextBirth()
    do throws(MQTTError) {
      try client.connect(will: reporter.death(birth))
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
    if !client.isConnected && !isAttempting { until = min(until, nextAttempt) }
    return Int(max(0, until - now))
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
      statuses, isConnected: client.isConnected, hasFailed: hasFailed)
    shared.status.withLock { $0 = snapshot }
    if client.isConnected, let message = reporter.status(statuses, now) { publish(message) }
  }

  private func publish(_ message: MQTTMessage) { _ = try? client.publish(message) }

  private func sayGoodbye() {
    guard client.isConnected else { return }
    publish(reporter.goodbye())
    client.disconnect()
  }
}
