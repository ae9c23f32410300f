import CCurl
import Logging
import MQTT
import ModelDelivery
import Serving
import SignedDocuments
import Synchronization

/// Files on a server, each named by its topic below one address: a source of releases, indexes and
/// blocks that is asked before the broker, and no more believed.
///
/// Files are got one after another over a kept connection, by a thread that starts with the first.
/// What the server does not have, gives too slowly or gives wrong is left to the broker; a server
/// that cannot be reached is not tried again for a while.
package final class HTTPMirror: ReleaseMirror {
  private let transfer: HTTPTransfer
  private let thread: JobThreads
  private let log: Logger
  /// Topics that were asked for: when one is again, its answer was no good, or came too late.
  private var spent: Set<String> = []
  /// Answers that were no good or too late, and transfers that failed one after another.
  private var bad = 0
  private var failures = 0
  /// Until when nothing is asked of the server, in milliseconds of the delivery clock.
  private var pausedUntil = Int64.min

  /// - Parameter wake: called from another thread when something arrived.
  init(
    _ address: String, authorities: String?, log: Logger, wake: @escaping @Sendable () -> Void
  ) {
    transfer = HTTPTransfer(address, authorities: authorities, wake: wake)
    thread = JobThreads(
      name: "mirror", threads: 1, stackBytes: AgentLimits.mirrorStackBytes,
      niceness: AgentLimits.deliveryNiceness)
    self.log = log
  }

  /// Whether the library that speaks http can be opened; opens it.
  package static var isAvailable: Bool { ccurl_is_there() != 0 }
  /// What is missing when it cannot.
  package static let absence = "libcurl.so.4 is not there; install the package libcurl4"

  func take(_ topic: String) -> MirrorAnswer {
    switch Topic(topic) {
    case .release, .index, .block: break
    default: return .elsewhere
    }
    if transfer.isWanted(topic) { return .pending }
    guard DeliveryClock.now().milliseconds >= pausedUntil else { return .elsewhere }
    if spent.count >= AgentLimits.mirrorTopicsMaximum { spent = [] }
    guard spent.insert(topic).inserted else {
      noteBad()
      return .elsewhere
    }
    guard transfer.want(topic) else { return .elsewhere }
    let transfer = transfer
    thread.submit { transfer.get(topic) }
    return .pending
  }

  func forget(_ topic: String) { _ = transfer.drop(topic) }

  func takeArrivals() -> [(topic: String, payload: [UInt8]?)] {
    var told: [(topic: String, payload: [UInt8]?)] = []
    for arrival in transfer.takeArrivals() {
      var payload: [UInt8]?
      switch arrival.outcome {
      case .done(let bytes):
        payload = bytes
        failures = 0
      case .status(404), .status(410): failures = 0
      case .status(let status): fail("the server answers with status \(status)")
      case .tooLarge:
        log.warning("a file of the mirror is too large", metadata: ["topic": "\(arrival.topic)"])
      case .failed(let reason): fail(reason)
      }
      guard transfer.drop(arrival.topic) else { continue }
      told.append((arrival.topic, payload))
    }
    return told
  }

  func shutdown() {
    transfer.cancel()
    _ = thread.shutdown(
      until: MonotonicClock.now() + UInt64(AgentLimits.mirrorShutdownMilliseconds) * 1_000_000)
  }

  private func fail(_ reason: String) {
    failures += 1
    guard failures >= AgentLimits.mirrorFailuresMaximum else { return }
    failures = 0
    pause(reason)
  }

  private func noteBad() {
    bad += 1
    guard bad >= AgentLimits.mirrorFailuresMaximum else { return }
    bad = 0
    pause("what it gives is not what was signed, or comes too late")
  }

  private func pause(_ reason: String) {
    pausedUntil = DeliveryClock.now().milliseconds + AgentLimits.mirrorMilliseconds
    log.warning("the mirror is not asked for a while", metadata: ["reason": "\(reason)"])
  }
}

/// Gets files, on the mirror's thread, and keeps what came of each until it is taken.
///
/// Unchecked because the library's client is used by the mirror's thread alone, but for the call that
/// ends a transfer, which it allows from any.
@safe
private final class HTTPTransfer: @unchecked Sendable {
  enum Outcome: Sendable {
    case done([UInt8])
    case status(Int)
    case tooLarge
    case failed(String)
  }

  struct Arrival: Sendable {
    var topic: String
    var outcome: Outcome
  }

  private let address: String
  private let authorities: String?
  private let wake: @Sendable () -> Void
  private let arrivals = Mutex<[Arrival]>([])
  /// Topics that were asked for, and neither taken nor given up.
  private let wanted = Mutex<Set<String>>([])
  /// The library's client; nil before the first file.
  private let client = Mutex<UInt>(0)
  private let isOver = Atomic<Bool>(false)

  init(_ address: String, authorities: String?, wake: @escaping @Sendable () -> Void) {
    self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
    self.authorities = authorities
    self.wake = wake
  }

  deinit {
    let known = client.withLock { $0 }
    if let client = unsafe OpaquePointer(bitPattern: known) { unsafe ccurl_free(client) }
  }

  func takeArrivals() -> [Arrival] {
    arrivals.withLock { arrivals in
      defer { arrivals = [] }
      return arrivals
    }
  }

  func cancel() {
    isOver.store(true, ordering: .releasing)
    let known = client.withLock { $0 }
    if let client = unsafe OpaquePointer(bitPattern: known) { unsafe ccurl_cancel(client) }
  }

  func isWanted(_ topic: String) -> Bool { wanted.withLock { $0.contains(topic) } }

  /// False when too many are wanted already.
  func want(_ topic: String) -> Bool {
    wanted.withLock { wanted in
      guard wanted.count < AgentLimits.mirrorWaitingMaximum else { return false }
      wanted.insert(topic)
      return true
    }
  }

  /// Whether the topic was wanted till now.
  func drop(_ topic: String) -> Bool { wanted.withLock { $0.remove(topic) != nil } }

  /// Gets the file of a topic that is wanted still; on the mirror's thread.
  func get(_ topic: String) {
    guard !isOver.load(ordering: .acquiring), isWanted(topic) else { return }
    let outcome = outcome(of: "\(address)/\(topic)")
    arrivals.withLock { $0.append(Arrival(topic: topic, outcome: outcome)) }
    wake()
  }

  private func outcome(of address: String) -> Outcome {
    guard let client = unsafe OpaquePointer(bitPattern: opened()) else {
      return .failed(HTTPMirror.absence)
    }
    var status = 0
    switch unsafe ccurl_get(client, address, &status) {
    case ccurl_done:
      var count = 0
      let bytes = unsafe ccurl_bytes(client, &count)
      // Sound: the library's client keeps so many bytes there until its next call.
      return unsafe .done([UInt8](UnsafeBufferPointer(start: bytes, count: count)))
    case ccurl_status: return .status(status)
    case ccurl_too_large: return .tooLarge
    default: return unsafe .failed(String(cString: ccurl_error(client)))
    }
  }

  /// The library's client as a number, made for the first file; 0 when it cannot be.
  private func opened() -> UInt {
    client.withLock { known in
      if known == 0 {
        var limits = ccurl_limits(
          bytes_maximum: MQTTLimits().payloadBytesMaximum,
          connect_milliseconds: AgentLimits.mirrorConnectMilliseconds,
          whole_milliseconds: AgentLimits.mirrorFileMilliseconds,
          slow_bytes: AgentLimits.mirrorSlowBytes, slow_seconds: AgentLimits.mirrorSlowSeconds,
          redirects: AgentLimits.mirrorRedirectsMaximum)
        let isSecure: Int32 = address.hasPrefix("https://") ? 1 : 0
        known = unsafe UInt(bitPattern: ccurl_new(authorities, isSecure, &limits))
      }
      return known
    }
  }
}
