import Cryptography
import DeliveryTestSupport
import Glibc
import Logging
import MQTT
import ModelBundle
import ModelDelivery
import Publishing
import Serving
import SignedDocuments
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// Many devices' whole delivery in one process, each with its own thread, connection, store and
/// state, against one broker; only what runs models is left out.
///
/// `EDGESERVE_AGENTS` says how many; figures are printed.
@Suite("Many agents on one broker", .serialized)
struct ManyAgentsTests {
  /// What the runtimes of all devices are asked.
  private final class Runtimes: Sendable {
    struct State: Sendable {
      /// The version that serves, by device.
      var serving: [Int64]
      /// A version that does not prove itself on every third device.
      var bad: Int64?
    }
    let state: Mutex<State>
    init(_ count: Int) { state = Mutex(State(serving: [Int64](repeating: 0, count: count))) }

    func activate(_ device: Int, _ version: Int64) -> LoadFailure? {
      state.withLock { state in
        guard version != state.bad || device % 3 != 0 else {
          return .goldenMismatch(vector: 0, output: 0, largestDifference: 9, tolerance: 1)
        }
        state.serving[device] = version
        return nil
      }
    }

    func count(serving version: Int64) -> Int {
      state.withLock { $0.serving.count { $0 == version } }
    }
  }

  private struct Figures {
    var seconds: Double
    var brokerSeconds: Double
    var brokerPeakBytes: Int
  }

  private let count = Int(AgentConfiguration.environment("EDGESERVE_AGENTS") ?? "") ?? 40

  @Test("a version goes to all, over a broker that dies in the middle; a bad one is taken back")
  func lifeOfAFleet() throws {
    var files = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
    #expect(Int(files.rlim_cur) > 12 * count, "each agent holds some files")
    let broker = try Broker(extra: ["log_type none", "log_type notice", "max_connections -1"])
    defer { broker.kill() }
    let now = Int64(time(nil))
    let fleet = TestFleet(expires: now + 86_400)
    let directory = TemporaryDirectory("agents")
    let runtimes = Runtimes(count)
    let drivers = try (0..<count).map { device in
      try driver(device, fleet, broker, directory.path, runtimes)
    }
    // Without farewells, for which each would wait a quarter of a second.
    defer { for driver in drivers { driver.crash() } }

    let releases = try (1...3).map { try release(Int64($0), fleet, now) }
    try seed(releases[0], fleet, broker, now, directory.path)
    try speak(fleet, broker, directory.path, first: releases[0], now) { _ in }
    for driver in drivers { driver.start() }
    report(
      "first version, everyone at once",
      try measure(broker) { try wait { runtimes.count(serving: 1) == count } })

    // In stages, as the controller says; the broker dies at the second one and comes back empty.
    let archive = try seed(releases[1], fleet, broker, now, directory.path)
    var bounce: Double?
    let rollout = try measure(broker) {
      try speak(fleet, broker, directory.path, first: releases[0], now) {
        (document) throws(PublishingError) in
        try document.startRollout(
          of: releases[1].reference, percent: 1_000, cohortLabels: [], spreadSeconds: 0,
          salt: [1], allowsDown: false)
      }
      try run(fleet, broker, directory.path, releases[0], now) { percent in
        guard percent == 5_000, bounce == nil else { return }
        bounce = try measure(broker) {
          broker.kill()
          try broker.restart()
          _ = try Seeder(brokers: FleetBrokers([configuration(broker, "seeder")])).seed(archive)
          try reseed(fleet, broker, directory.path)
        }.seconds
      }
      try wait { runtimes.count(serving: 2) == count }
    }
    #expect(bounce != nil)
    report("second version, 10, 50 and 100 %, over a broker that was killed", rollout)
    let peak = connectionsASecond(broker)

    // The third does not prove itself on every third device.
    runtimes.state.withLock { $0.bad = 3 }
    try seed(releases[2], fleet, broker, now, directory.path)
    let aborted = try measure(broker) {
      try speak(fleet, broker, directory.path, first: releases[0], now) {
        (document) throws(PublishingError) in
        try document.startRollout(
          of: releases[2].reference, percent: 2_000, cohortLabels: [], spreadSeconds: 0,
          salt: [2], allowsDown: false)
      }
      try run(fleet, broker, directory.path, releases[0], now) { _ in }
      try wait { runtimes.count(serving: 2) == count }
    }
    report("third version, aborted at 20 %", aborted)
    #expect(runtimes.count(serving: 3) == 0 && runtimes.count(serving: 2) == count)
    print("agents: \(count) devices, at most \(peak) connections a second, nothing lost")
  }

  private func driver(
    _ device: Int, _ fleet: TestFleet, _ broker: Broker, _ directory: String,
    _ runtimes: Runtimes
  ) throws -> DeliveryDriver {
    let name = "device-\(device)"
    var timing = DeliveryTiming()
    timing.askMinimum = 2_000
    timing.retryMinimum = 1_000
    timing.maximum = 20_000
    let setup = DeliveryDriver.Setup(
      stateDirectory: "\(directory)/\(name)", broker: configuration(broker, name),
      profile: DeviceProfile(
        device: name, models: ["digits"], root: fleet.trustedRoot, agent: "1.0.0",
        architecture: "x86_64", memoryBudget: 1 << 30, timing: timing, seed: UInt64(device + 1)),
      kernels: "baseline", backoff: MQTTBackoff(minimumMilliseconds: 1_000, maximumMilliseconds: 8_000))
    var log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    log.logLevel = .critical
    return try DeliveryDriver(setup, log: log) { source, completion in
      let failure = runtimes.activate(device, source.version)
      completion(failure.map { .failure($0) } ?? .success(()))
    }
  }

  private func configuration(_ broker: Broker, _ client: String) -> MQTTConfiguration {
    MQTTConfiguration(host: broker.host, port: broker.port, clientID: client)
  }

  /// Four blocks of noise of which no version shares one.
  private func release(_ version: Int64, _ fleet: TestFleet, _ now: Int64) throws -> SignedRelease {
    var random = SplitMix64(seed: UInt64(version))
    let model = (0..<(4 * 65_536 - 8192) / 8).flatMap { _ in
      unsafe withUnsafeBytes(of: random.next()) { unsafe Array($0) }
    }
    return try fleet.release(
      try fleet.bundle(model: model), version: version, created: now, expires: now + 86_400,
      level: 1)
  }

  /// Publishes a release from a file, as a publisher that re-seeds does.
  @discardableResult
  private func seed(
    _ release: SignedRelease, _ fleet: TestFleet, _ broker: Broker, _ now: Int64,
    _ directory: String
  ) throws -> ReleaseArchive {
    let path = "\(directory)/\(release.document.sequence).release"
    let messages = fleet.retained(release).flatMap { ArchiveFormat.encode($0.key.name, $0.value) }
    try replaceFile(path, ArchiveFormat.magic + messages + ArchiveFormat.end)
    let archive = try ReleaseArchive(path)
    _ = try Seeder(brokers: FleetBrokers([configuration(broker, "seeder")])).seed(archive)
    return archive
  }

  /// The director's next word: the first one wants `first`.
  private func speak(
    _ fleet: TestFleet, _ broker: Broker, _ directory: String, first: SignedRelease,
    _ now: Int64, _ change: (inout DirectorDocument) throws(PublishingError) -> Void
  ) throws {
    let record = "\(directory)/director-digits.cose"
    if unsafe access(record, F_OK) != 0 {
      try replaceFile(
        record,
        try fleet.sign(fleet.director(first, sequence: 1, issued: now, expires: now + 80_000)))
    }
    _ = try director(fleet, broker, directory).speak(
      now: Int64(time(nil)), seconds: 80_000, change)
  }

  /// Gives a broker that came back empty the director's last word again.
  private func reseed(_ fleet: TestFleet, _ broker: Broker, _ directory: String) throws {
    _ = try director(fleet, broker, directory).speak(now: Int64(time(nil)), seconds: 80_000) { _ in }
  }

  private func director(_ fleet: TestFleet, _ broker: Broker, _ directory: String) -> Director {
    Director(
      keys: fleet.publisherKeys, brokers: FleetBrokers([configuration(broker, "director")]),
      recordDirectory: directory, model: "digits")
  }

  /// Does what the controller says until the rollout is over.
  private func run(
    _ fleet: TestFleet, _ broker: Broker, _ directory: String, _ first: SignedRelease,
    _ now: Int64, atStage: (Int64) throws -> Void
  ) throws {
    let plan = try #require(RolloutPlan(stages: [1_000, 5_000, 10_000]))
    var policy = RolloutController.Policy()
    policy.soakSeconds = 1
    policy.reachedMinimum = 3
    let controller = RolloutController(policy: policy)
    let reader = FleetReader(
      fleet: fleet.name, brokers: FleetBrokers([configuration(broker, "reader")]))
    for _ in 0..<300 {
      let document = try director(fleet, broker, directory).latest()
      let snapshot = try reader.snapshot()
      let assessment = controller.assess(
        snapshot.rollout(document), elapsedSeconds: Int64(time(nil)) - document.issued)
      switch plan.step(document, assessment) {
      case .complete, .ended: return
      case .abort:
        try speak(fleet, broker, directory, first: first, now) {
          (document) throws(PublishingError) in try document.abort()
        }
        return
      case .advance(let percent):
        try speak(fleet, broker, directory, first: first, now) {
          (document) throws(PublishingError) in try document.advance(to: percent)
        }
        try atStage(percent)
      case .wait, .paused: usleep(300_000)
      }
    }
    Issue.record("the rollout does not end")
  }

  private func wait(_ condition: () throws -> Bool) throws {
    for _ in 0..<24_000 {
      if try condition() { return }
      usleep(10_000)
    }
    Issue.record("not within four minutes")
  }

  private func measure(_ broker: Broker, _ body: () throws -> Void) throws -> Figures {
    let clock = ContinuousClock()
    let before = broker.processorSeconds
    var figures = Figures(seconds: 0, brokerSeconds: 0, brokerPeakBytes: 0)
    let time = try clock.measure { try body() }
    figures.seconds = time / .seconds(1)
    figures.brokerSeconds = broker.processorSeconds - before
    figures.brokerPeakBytes = broker.peakBytes
    return figures
  }

  private func report(_ what: String, _ figures: Figures) {
    func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
    print(
      "agents: \(what): \(rounded(figures.seconds)) s; the broker \(rounded(figures.brokerSeconds)) s "
        + "of processor, \(figures.brokerPeakBytes >> 20) MiB at its peak")
  }

  /// The most connections that the broker took in one second.
  private func connectionsASecond(_ broker: Broker) -> Int {
    var seconds: [Substring: Int] = [:]
    for line in broker.log.split(separator: "\n") where line.contains("New client connected") {
      seconds[line.prefix { $0 != ":" }, default: 0] += 1
    }
    return seconds.values.max() ?? 0
  }
}
