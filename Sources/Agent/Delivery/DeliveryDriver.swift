import Glibc
package import Logging
package import MQTT
package import ModelDelivery
import ModelStorage
package import Serving
import Synchronization

/// Brings a version into service, and says later whether it is.
package typealias VersionActivation =
  @Sendable (VersionSource, @escaping @Sendable (Result<Void, LoadFailure>) -> Void) -> Void

/// What is known of a version that is or was in service; nil when nothing is.
package typealias VersionObserver = @Sendable (_ model: String, _ version: Int64) ->
  VersionObservation?

/// Delivery on a device: the protocol machine, its broker and its store, on a thread of low
/// priority.
package final class DeliveryDriver: DeliveryService {
  /// What a driver is made of.
  package struct Setup: Sendable {
    package var stateDirectory: String
    package var broker: MQTTConfiguration
    /// Brokers that are tried in this order while the ones before fail.
    package var fallbackBrokers: [MQTTConfiguration] = []
    /// How long another broker than the first is stayed at, in milliseconds.
    package var fallbackMilliseconds = AgentLimits.fallbackMilliseconds
    package var profile: DeviceProfile
    /// The kernel table in use, as status documents name it.
    package var kernels: String
    package var backoff: MQTTBackoff
    /// A directory with releases in files, or an address with a file for each topic below it, asked
    /// before the broker; nil for none.
    package var mirror: String?
    /// A file of the authorities that are trusted with an address, in PEM; the system's when nil.
    package var mirrorAuthorities: String?
    /// Bytes of a version being fetched after which what was written is made durable.
    package var syncStrideBytes = StorageLimits.syncStrideBytes
    /// Whether the broker is left alone.
    package var isOffline = false

    package init(
      stateDirectory: String, broker: MQTTConfiguration, profile: DeviceProfile,
      kernels: String, backoff: MQTTBackoff = MQTTBackoff()
    ) {
      self.stateDirectory = stateDirectory
      self.broker = broker
      self.profile = profile
      self.kernels = kernels
      self.backoff = backoff
    }
  }

  private let loop: DeliveryLoop
  private let shared: DeliveryShared

  /// Opens the store; throws when it cannot be.
  package init(
    _ setup: Setup, log: Logger, activate: @escaping VersionActivation,
    observe: @escaping VersionObserver = { _, _ in nil }
  ) throws {
    let client = try MQTTClient(setup.broker)
    for broker in setup.fallbackBrokers { try MQTTClient.validate(broker) }
    shared = DeliveryShared(
      waker: client.waker,
      status: DeliveryStatus(
        broker: "\(setup.broker.host):\(setup.broker.port)", connected: false, state: "idle",
        release: "", progressPercent: 0))
    loop = try DeliveryLoop(setup, client, shared, log, activate, observe)
  }

  /// Hands the stored versions to the activation, then begins to deliver; on no network itself.
  package func start() {
    loop.begin()
    let (loop, shared) = (loop, shared)
    Thread.start(
      name: "delivery", stackBytes: AgentLimits.deliveryStackBytes,
      niceness: AgentLimits.deliveryNiceness
    ) {
      loop.run()
      let left = shared.orders.withLock { orders in
        shared.hasEnded.store(true, ordering: .releasing)
        defer { orders = [] }
        return orders
      }
      for order in left { order.completion(.failure(.shuttingDown)) }
    }
    shared.hasBegun.store(true, ordering: .releasing)
  }

  package func status() -> DeliveryStatus { shared.status.withLock { $0 } }

  package func install(_ path: String, completion: @escaping InstallCompletion) {
    let isTaken = shared.orders.withLock { orders in
      guard !shared.hasEnded.load(ordering: .acquiring) else { return false }
      orders.append(DeliveryShared.Order(path: path, completion: completion))
      return true
    }
    guard isTaken else { return completion(.failure(.shuttingDown)) }
    shared.waker.wake()
  }

  /// Says goodbye to the broker and ends the thread; waits at most two seconds.
  package func shutdown() { end(.orderly) }

  /// Ends the thread as a crash would: no goodbye, nothing made durable.
  func crash() { end(.abrupt) }

  private func end(_ end: DeliveryShared.End) {
    shared.end.store(end.rawValue, ordering: .releasing)
    guard shared.hasBegun.load(ordering: .acquiring) else { return }
    shared.waker.wake()
    for _ in 0..<AgentLimits.deliveryShutdownMilliseconds {
      if shared.hasEnded.load(ordering: .acquiring) { return }
      usleep(1000)
    }
  }
}

/// What the delivery thread and others both touch.
final class DeliveryShared: Sendable {
  /// How the thread is to end.
  enum End: Int { case none, orderly, abrupt }

  /// An installation that was asked for.
  struct Order: Sendable {
    var path: String
    var completion: InstallCompletion
  }

  let waker: MQTTWaker
  /// Installations that the thread has not yet seen.
  let orders = Mutex<[Order]>([])
  let status: Mutex<DeliveryStatus>
  /// Outcomes of activations that the thread has not yet seen.
  let outcomes = Mutex<[DeliveryEvent]>([])
  let end = Atomic<Int>(End.none.rawValue)
  let hasBegun = Atomic<Bool>(false)
  let hasEnded = Atomic<Bool>(false)

  init(waker: MQTTWaker, status: DeliveryStatus) {
    self.waker = waker
    self.status = Mutex(status)
  }
}
