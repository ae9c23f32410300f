import Cryptography
import DeliveryTestSupport
import Glibc
import Logging
import MQTT
import ModelBundle
import ModelDelivery
import ModelStorage
import Publishing
import Serving
import SignedDocuments
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// A broker, a fleet that publishes on it, and one device whose activations are scripted.
final class DeliveryHarness {
  static let device = "device-1"

  let broker: Broker
  let directory = TemporaryDirectory("delivery")
  let now: Int64
  let fleet: TestFleet
  let activations = Activations()
  private(set) var driver: DeliveryDriver?
  private var publisher: MQTTClient?
  var memoryBudget: Int64 = 1 << 30
  /// A directory of files that is asked before the broker.
  var mirror: String?
  /// Bytes of the largest update that the link may carry.
  var meteredBytes: Int64?
  /// The name and password that the device shows its broker.
  var credentials: (username: String, password: String)?
  /// A port in place of the broker's own.
  var port: Int?
  /// Brokers of other harnesses, and how long the device stays at them.
  var fallbacks: [Broker] = []
  var fallbackMilliseconds: Int64 = 60_000
  /// Where the device keeps its state; the harness's own directory unless changed.
  var stateDirectory: String

  /// What the device was asked to bring into service, and what it answers.
  final class Activations: Sendable {
    struct State: Sendable {
      var sources: [VersionSource] = []
      var serving: Int64?
      var failures: [Int64: LoadFailure] = [:]
    }
    let state = Mutex(State())
    var sources: [VersionSource] { state.withLock { $0.sources } }
    var serving: Int64? { state.withLock { $0.serving } }
    func fail(_ version: Int64, _ failure: LoadFailure?) {
      state.withLock { $0.failures[version] = failure }
    }
  }

  /// - Parameter extra: further lines of the broker's configuration.
  init(extra: [String] = []) throws {
    broker = try Broker(extra: extra)
    stateDirectory = directory.path + "/state"
    now = Int64(time(nil))
    fleet = TestFleet(expires: now + 86_400)
  }

  deinit {
    driver?.shutdown()
    broker.kill()
  }

  /// A release of `blocks` blocks of noise; one model's versions differ in every block.
  func release(_ version: Int64, blocks: Int = 3, peakBytes: Int64? = nil) throws -> SignedRelease {
    var random = SplitMix64(seed: UInt64(version))
    // The header and the index of a bundle take the first 4096 bytes.
    let count = blocks * 65_536 - 8192
    let model = (0..<count / 8).flatMap { _ in
      unsafe withUnsafeBytes(of: random.next()) { unsafe Array($0) }
    }
    let bundle = try fleet.bundle(model: model, peakBytes: peakBytes)
    return try fleet.release(
      bundle, version: version, created: now, expires: now + 86_400, level: 1)
  }

  func director(_ release: SignedRelease, _ sequence: Int64) throws -> [Topic: [UInt8]] {
    let document = fleet.director(release, sequence: sequence, issued: now, expires: now + 80_000)
    return [.director(fleet: fleet.name, model: "digits"): try fleet.sign(document)]
  }

  func block(_ release: SignedRelease, _ block: Int) -> Topic {
    .block(fleet: fleet.name, objectID: release.object.index.objectID, block: block)
  }

  /// Publishes a whole release and the wish for it.
  func deliver(_ release: SignedRelease, sequence: Int64) throws {
    try publish(fleet.retained(release))
    try publish(try director(release, sequence))
  }

  /// Leaves retained messages on the broker, acknowledged.
  func publish(_ topics: [Topic: [UInt8]]) throws {
    let client = try publisher ?? connect("publisher")
    publisher = client
    for (topic, payload) in topics {
      let id = try client.publish(
        MQTTMessage(
          topic: topic.name, payload: payload, quality: .atLeastOnce, retained: true))
      var events: [MQTTEvent] = []
      for _ in 0..<600 where !events.contains(.published(id: id)) {
        events += client.poll(timeoutMilliseconds: 50)
      }
      #expect(events.contains(.published(id: id)))
    }
  }

  /// A connected client of its own.
  func connect(_ id: String) throws -> MQTTClient {
    let client = try MQTTClient(
      MQTTConfiguration(host: broker.host, port: broker.port, clientID: id))
    try client.connect()
    for _ in 0..<200 where !client.isConnected { _ = client.poll(timeoutMilliseconds: 50) }
    #expect(client.isConnected)
    return client
  }

  /// Starts the broker again, empty; the publisher connects anew.
  func restartBroker() throws {
    try broker.restart()
    publisher = nil
  }

  func start() throws {
    var timing = DeliveryTiming()
    timing.askMinimum = 200
    timing.retryMinimum = 100
    timing.maximum = 800
    var setup = DeliveryDriver.Setup(
      stateDirectory: stateDirectory,
      broker: MQTTConfiguration(
        host: broker.host, port: port ?? broker.port, clientID: Self.device,
        username: credentials?.username, password: credentials?.password),
      profile: DeviceProfile(
        device: Self.device, models: ["digits"], root: fleet.trustedRoot, agent: "1.0.0",
        architecture: "x86_64", memoryBudget: memoryBudget, timing: timing,
        meteredBytes: meteredBytes, seed: 7),
      kernels: "baseline",
      backoff: MQTTBackoff(minimumMilliseconds: 20, maximumMilliseconds: 100))
    setup.mirror = mirror
    setup.fallbackBrokers = fallbacks.map {
      MQTTConfiguration(host: $0.host, port: $0.port, clientID: Self.device)
    }
    setup.fallbackMilliseconds = fallbackMilliseconds
    var log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    log.logLevel = .critical
    let activations = activations
    let driver = try DeliveryDriver(setup, log: log) { source, completion in
      let failure = activations.state.withLock { state in
        state.sources.append(source)
        let failure = state.failures[source.version]
        if failure == nil { state.serving = source.version }
        return failure
      }
      completion(failure.map { .failure($0) } ?? .success(()))
    }
    driver.start()
    self.driver = driver
  }

  func shutdown() {
    driver?.shutdown()
    driver = nil
  }

  /// Ends the driver as a crash of the process would.
  func crash() {
    driver?.crash()
    driver = nil
  }

  /// Waits until the status is as wanted; the last one either way.
  @discardableResult
  func wait(_ predicate: (DeliveryStatus) -> Bool) -> DeliveryStatus? {
    for _ in 0..<3000 {
      if let status = driver?.status(), predicate(status) { return status }
      usleep(10_000)
    }
    return driver?.status()
  }

  /// Waits until `version` serves and nothing is left to do.
  func waitForCommit(_ version: Int64) {
    let status = wait { $0.state == "committed" && $0.release == "digits@\(version)" }
    #expect(status?.state == "committed")
    #expect(status?.release == "digits@\(version)")
    #expect(activations.serving == version)
    #expect(current == version)
  }

  /// Waits for a cause, and checks that `version` goes on serving.
  func waitForCause(_ cause: Cause, stillServing version: Int64?) {
    let status = wait { $0.cause == cause.rawValue }
    #expect(status?.cause == cause.rawValue)
    #expect(activations.serving == version)
    #expect(current == version)
  }

  /// The version that the state file names.
  var current: Int64? {
    let store = try? ModelStore(SystemFiles(stateDirectory))
    return store?.state.flatMap { DeliveryRecord($0) }?.models["digits"]?.current?.version
  }

  /// The bytes of a stored bundle; nil when there is none.
  func stored(_ version: Int64) -> Digest? {
    try? SHA256.hash(file: "\(stateDirectory)/store/digits/\(version)/bundle")
  }

  /// How often each block was sent to the device.
  func blocksSent(_ release: SignedRelease) -> [Int] {
    let lines = broker.log.split(separator: "\n").filter {
      $0.contains("Sending PUBLISH to \(Self.device) ")
    }
    return release.object.blocks.indices.map { i in
      let topic = "'\(block(release, i).name)'"
      return lines.filter { $0.contains(topic) }.count
    }
  }
}
