import ByteParsing
import Cryptography
import DeliveryTestSupport
import ModelBundle
import ModelDelivery
import ModelStorage
import Publishing
import SignedDocuments
import TestSupport

@testable import Agent

/// Versions 1 to 4 of one model, in blocks of 16 KiB, each but the first also as a difference from
/// the one before; made once.
struct SimulatedReleases: Sendable {
  static let shared = SimulatedReleases()

  let fleet = TestFleet()
  /// The bundles' digests, by version.
  let bundles: [Int64: Digest]
  let topics: [Int64: [String: [UInt8]]]
  let references: [Int64: DirectorDocument.Reference]

  private init() {
    var bundles: [Int64: Digest] = [:]
    var topics: [Int64: [String: [UInt8]]] = [:]
    var references: [Int64: DirectorDocument.Reference] = [:]
    var last: Bundle?
    for version in 1...4 as ClosedRange<Int64> {
      var random = SplitMix64(seed: 1)
      var noise = (0..<60_000 + Int(version) * 5000).map { _ in
        UInt8.random(in: 0...15, using: &random)
      }
      // Two of the blocks stay the same from version to version.
      for place in 20_000..<50_000 { noise[place] ^= UInt8(version) }
      guard let bundle = try? fleet.bundle(model: noise),
        let signed = try? fleet.release(bundle, version: version)
      else { fatalError("a bundle of noise is a bundle") }
      let object = EncodedObject(encoding: bundle.bytes, blockSizeLog2: 14, level: 1)
      var document = signed.document
      document.blockSizeLog2 = 14
      if version > 1 { document.gate.trialMinutes = 1 }
      document.blockListSHA256 = object.index.blockListSHA256
      document.full = .init(
        objectID: object.index.objectID, encodedBytes: object.encodedBytes)
      let delta = last.map {
        EncodedObject(encoding: bundle.bytes, base: $0.bytes, blockSizeLog2: 14, level: 1)
      }
      if let delta, let last {
        document.deltas = [
          .init(
            baseSHA256: last.bytes.sha256,
            object: .init(objectID: delta.index.objectID, encodedBytes: delta.encodedBytes))
        ]
      }
      last = bundle
      guard let message = try? fleet.sign(document, key: fleet.keys.release) else {
        fatalError("a release can be signed")
      }
      var published = [
        Topic.release(fleet: fleet.name, model: "digits", sequence: version).name: message
      ]
      for object in [object, delta].compactMap(\.self) {
        for (topic, bytes) in fleet.retained(object) { published[topic.name] = bytes }
      }
      bundles[version] = SHA256.hash(bundle.bytes.array)
      topics[version] = published
      references[version] = .init(sequence: version, manifestSHA256: SHA256.hash(message))
    }
    (self.bundles, self.topics, self.references) = (bundles, topics, references)
  }

  var directorTopic: String { Topic.director(fleet: fleet.name, model: "digits").name }

  func director(_ version: Int64, sequence: Int64) -> [UInt8] {
    guard let reference = references[version] else { fatalError("no such version") }
    let document = DirectorDocument(
      fleet: fleet.name, model: "digits", rootVersion: 1, sequence: sequence,
      issued: TestFleet.now, expires: TestFleet.expires, target: reference)
    guard let message = try? fleet.sign(document) else { fatalError("a word can be signed") }
    return message
  }
}

/// A device in simulated time: real machine, executor and store; its disk, link and broker fail as
/// seeded.
final class SimulatedDevice: DeliveryOutlet {
  /// What may go wrong; chances in percent.
  struct Faults {
    var loss = 15
    var duplication = 10
    var disconnection = 3
    var corruption = 3
    var powerCut = 95
    var activationCrash = 8
    var activationFailure = 8
    var trialCrash = 1
  }

  private enum Happening {
    case event(DeliveryEvent)
    case link
  }

  /// Two blocks of the releases.
  private static let syncStrideBytes = 32_768

  let releases = SimulatedReleases.shared
  let disk = SimulatedDisk()
  var random: SplitMix64
  /// Nil once faults have stopped.
  var faults: Faults? = Faults()
  /// Versions that fail their gate.
  var bad: Set<Int64> = []
  /// Versions whose requests fail, as they did not before them.
  var erring: Set<Int64> = []
  /// Versions that were taken back.
  private(set) var rolledBack: Set<Int64> = []
  private(set) var violations: [String] = []
  private(set) var lives = 0
  private(set) var serving: Int64?
  private var servingSince: Int64 = 0
  private var milliseconds: Int64 = 0
  private var executor: DeliveryExecutor?
  private var retained: [String: [UInt8]] = [:]
  private var subscriptions: Set<String> = []
  private var queue: [(due: Int64, happening: Happening)] = []
  private var isConnected = false
  private var crashes = false
  private var lastDurable: DeliveryRecord.Model?

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  var status: Delivery.Status? { executor?.delivery.statuses(now: time).first }

  /// The broker keeps a message, and sends it to the device if it asked.
  func publish(_ topics: [String: [UInt8]]) {
    for (topic, payload) in topics.sorted(by: { $0.key < $1.key }) {
      retained[topic] = payload
      if isConnected && subscriptions.contains(topic) { send(topic, payload) }
    }
  }

  /// Removes messages from the broker.
  func forget(_ topics: some Sequence<String>) { for topic in topics { retained[topic] = nil } }

  func turnOn() { boot() }

  /// Lets time pass until `isDone` or for so many happenings.
  func run(happenings: Int, until isDone: () -> Bool = { false }) {
    for _ in 0..<happenings where !isDone() { step() }
  }

  func subscribe(_ topics: [String]) {
    guard isConnected else { return }
    for topic in topics {
      subscriptions.insert(topic)
      if let payload = retained[topic] { send(topic, payload) }
    }
  }

  func unsubscribe(_ topics: [String]) { subscriptions.subtract(topics) }

  func acknowledge(sequence: Int64, code: String) {}

  func requestSeed(objectID: String) {}
  func changeBroker() {}

  func reconnect() { if isConnected { schedule(.link, within: 1...10) } }

  func observe(model: String, version: Int64) -> VersionObservation? {
    guard version == serving else { return nil }
    let requests = max(0, milliseconds - servingSince) / 10
    return VersionObservation(
      requests: requests, errors: erring.contains(version) ? requests / 2 : requests / 1000)
  }

  func activate(model: String, version: Int64, proof: DeliveryEffect.Proof) {
    if !isWhole(version) {
      violations.append("version \(version) is activated and not whole")
    }
    let isStored = lastDurable?.current?.version == version
    var failure: Cause?
    if bad.contains(version) {
      failure = .gateMismatch
    } else if let faults, !isStored, happens(faults.activationFailure) {
      failure = .unreadable
    }
    if let faults, !isStored, happens(faults.activationCrash) { crashes = true }
    schedule(
      .event(.activated(model: model, version: version, failure: failure)), within: 0...300)
  }

  private var time: DeliveryTime {
    // The wall clock stands still, so that no document runs out however long the faults last.
    DeliveryTime(milliseconds: milliseconds, wallSeconds: TestFleet.now)
  }

  private func happens(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  private func schedule(_ happening: Happening, within range: ClosedRange<Int64>) {
    queue.append((milliseconds + Int64.random(in: range, using: &random), happening))
  }

  private func send(_ topic: String, _ payload: [UInt8]) {
    var payload = payload
    if let faults {
      if happens(faults.loss) { return }
      if happens(faults.duplication) {
        schedule(.event(.message(topic: topic, payload: payload)), within: 1...8000)
      }
      if happens(faults.corruption) && !payload.isEmpty {
        payload[Int.random(in: 0..<payload.count, using: &random)] ^= 0x10
      }
    }
    schedule(.event(.message(topic: topic, payload: payload)), within: 1...500)
  }

  private func step() {
    let deadline = executor?.delivery.deadline ?? .max
    let next = queue.indices.min { queue[$0].due < queue[$1].due }
    guard let next, queue[next].due <= deadline else {
      guard deadline < .max else { return }
      milliseconds = max(milliseconds, deadline)
      return handle(.tick)
    }
    let (due, happening) = queue.remove(at: next)
    milliseconds = max(milliseconds, due)
    switch happening {
    case .link: changeLink()
    case .event(let event):
      if case .message(let topic, _) = event, !subscriptions.contains(topic), !happens(50) {
        return
      }
      if case .activated(_, let version, nil) = event {
        if serving != version { servingSince = milliseconds }
        serving = version
      }
      handle(event)
      if let faults, isConnected, happens(faults.disconnection) { changeLink() }
    }
  }

  private func changeLink() {
    isConnected.toggle()
    if isConnected {
      handle(.connected)
    } else {
      subscriptions = []
      queue.removeAll { if case .event(.message) = $0.happening { true } else { false } }
      schedule(.link, within: 10...20_000)
      handle(.disconnected)
    }
  }

  private func handle(_ event: DeliveryEvent) {
    executor?.handle(event, now: time)
    if let status, status.state == .rolledBack, let target = status.target {
      rolledBack.insert(target)
    }
    if let faults, status?.state == .trial, happens(faults.trialCrash) { crashes = true }
    if disk.isCut || crashes { boot() }
  }

  private func boot() {
    var isUp = false
    while !isUp {
      isUp = tryToBoot()
    }
  }

  private func tryToBoot() -> Bool {
    lives += 1
    (executor, queue, subscriptions, isConnected, serving) = (nil, [], [], false, nil)
    // A crash of the process loses nothing that was written; a power cut may.
    if disk.isCut || !crashes { disk.restart(using: &random) }
    crashes = false
    disk.cutAt = nil
    if let faults, happens(faults.powerCut) {
      disk.cutAt = disk.calls.count + Int.random(in: 0...60, using: &random)
    }
    if disk.unsynchronizedBytesMost > Self.syncStrideBytes + 16_384 {
      violations.append("\(disk.unsynchronizedBytesMost) bytes waited to be made durable")
    }
    let stride = Self.syncStrideBytes
    guard let store = try? ModelStore(disk, syncStrideBytes: stride) else { return false }
    let record = store.state.flatMap { DeliveryRecord($0) }
    check(record?.models["digits"])
    let executor = DeliveryExecutor(
      Delivery(profile, record: record), store, self)
    self.executor = executor
    executor.handle(.started, now: time)
    if disk.isCut || crashes { return false }
    // The first version of all may be given up with nothing to go back to.
    let isAlone = lastDurable?.trial != nil && lastDurable?.previous == nil
    if let current = lastDurable?.current, queue.isEmpty, !isAlone {
      violations.append("version \(current.version) is current and is not activated")
    }
    schedule(.link, within: 400...5000)
    return true
  }

  /// What was durable stays, and only goes forward.
  private func check(_ model: DeliveryRecord.Model?) {
    if let last = lastDurable {
      if (model?.current?.version ?? 0) < (last.current?.version ?? 0) {
        if last.trial == nil {
          violations.append("the current version went back")
        } else if model?.current != nil, model?.current != last.previous {
          violations.append("the version on trial gave way to one that was never kept")
        }
      }
      if (model?.releaseSequence ?? 0) < last.releaseSequence {
        violations.append("the release sequence went back")
      }
      if (model?.director?.sequence ?? 0) < (last.director?.sequence ?? 0) {
        violations.append("the director's sequence went back")
      }
    }
    if let current = model?.current, !isWhole(current.version) {
      violations.append("the current version \(current.version) is not whole after a restart")
    }
    if let current = model?.current, model?.trial == nil, erring.contains(current.version) {
      violations.append("version \(current.version) fails its requests and was kept")
    }
    lastDurable = model
  }

  private func isWhole(_ version: Int64) -> Bool {
    guard let bytes = disk.contents("store/digits/\(version)/bundle") else { return false }
    return SHA256.hash(bytes) == releases.bundles[version]
  }

  private var profile: DeviceProfile {
    DeviceProfile(
      device: "device-1", models: ["digits"], root: releases.fleet.trustedRoot, agent: "1.0.0",
      architecture: "x86_64", memoryBudget: 1 << 30, seed: random.state)
  }
}

extension SplitMix64 {
  /// A seed for another generator.
  fileprivate var state: UInt64 {
    var copy = self
    return copy.next() | 1
  }
}
