import Cryptography
import DeliveryTestSupport
import ModelBundle
import Publishing
import SignedDocuments
import TestSupport
import Testing

@testable import ModelDelivery

/// One machine whose storage does at once what it is asked, and keeps what it was asked.
struct Bench {
  let fleet = TestFleet()
  var delivery: Delivery
  var effects: [DeliveryEffect] = []
  var stored: Set<Int64> = []
  var now = DeliveryTime(milliseconds: 0, wallSeconds: TestFleet.now)
  var activationFailure: Cause?
  /// What the runtime tells of versions.
  var observations: [Int64: VersionObservation] = [:]
  /// Signed release messages in the store.
  var releases: [Int64: [UInt8]] = [:]
  /// Versions that were activated, in order.
  var activated: [Int64] = []

  init(
    record: DeliveryRecord? = nil, stored: Set<Int64> = [], releases: [Int64: [UInt8]] = [:],
    _ change: (inout DeviceProfile) -> Void = { _ in }
  ) {
    var profile = DeviceProfile(
      device: "device-1", models: ["digits"], root: fleet.trustedRoot, agent: "1.10.0",
      architecture: "x86_64", processorFeatures: 0b11, memoryBudget: 1 << 20, seed: 3)
    change(&profile)
    delivery = Delivery(profile, record: record)
    self.stored = stored
    self.releases = releases
    send(.started)
    send(.connected)
  }

  var status: Delivery.Status { delivery.statuses(now: now)[0] }
  var record: DeliveryRecord? {
    for case .persist(_, let bytes) in effects.reversed() { return DeliveryRecord(bytes) }
    return nil
  }
  var subscriptions: [String] {
    effects.flatMap { effect -> [String] in
      if case .subscribe(let topics) = effect { topics } else { [] }
    }
  }

  mutating func send(_ event: DeliveryEvent) {
    var events = [event]
    while !events.isEmpty {
      let asked = delivery.handle(events.removeFirst(), now: now)
      effects += asked
      for effect in asked {
        switch effect {
        case .verify(let model, let version, _, _):
          events.append(
            .verified(model: model, version: version, isWhole: stored.contains(version)))
        case .reserve(let reservation):
          events.append(.reserved(model: reservation.model, isResumed: false))
        case .assemble(let model, _): events.append(.assembled(model: model))
        case .activate(let model, let version, _):
          stored.insert(version)
          activated.append(version)
          events.append(
            .activated(model: model, version: version, failure: activationFailure))
        case .observe(let model, let version):
          guard let observation = observations[version] else { continue }
          events.append(.observed(model: model, version: version, observation: observation))
        case .readRelease(let model, let version):
          guard let message = releases[version] else { continue }
          events.append(.releaseRead(model: model, message: message))
        default: break
        }
      }
    }
  }

  /// Lets time pass in steps of a quarter of a second, each with a tick.
  mutating func pass(_ milliseconds: Int64) {
    for _ in 0..<milliseconds / 250 {
      now.milliseconds += 250
      if delivery.deadline <= now.milliseconds { send(.tick) }
    }
  }

  mutating func hear(_ topic: Topic, _ payload: [UInt8]) {
    send(.message(topic: topic.name, payload: payload))
  }

  func release(
    _ version: Int64, _ change: (inout ReleaseDocument) -> Void = { _ in }
  ) throws -> (document: ReleaseDocument, message: [UInt8], signed: SignedRelease) {
    let bundle = try fleet.bundle(model: [UInt8](repeating: UInt8(version), count: 100_000))
    let signed = try fleet.release(bundle, version: version)
    var document = signed.document
    change(&document)
    return (document, try fleet.sign(document, key: fleet.keys.release), signed)
  }

  /// Says what the director wants, and then all that the broker has of it.
  mutating func deliver(
    _ release: (document: ReleaseDocument, message: [UInt8], signed: SignedRelease),
    sequence: Int64, _ change: (inout DirectorDocument) -> Void = { _ in }
  ) throws {
    var director = fleet.director(release.signed, sequence: sequence)
    director.target.manifestSHA256 = SHA256.hash(release.message)
    change(&director)
    releases[release.document.sequence] = release.message
    hear(.director(fleet: fleet.name, model: "digits"), try fleet.sign(director))
    hear(
      .release(fleet: fleet.name, model: "digits", sequence: release.document.sequence),
      release.message)
    let object = release.signed.object
    let id = object.index.objectID
    hear(.index(fleet: fleet.name, objectID: id), object.index.bytes)
    for (i, block) in object.blocks.enumerated() {
      hear(.block(fleet: fleet.name, objectID: id, block: i), block)
    }
  }
}

@Suite("Delivery machine")
struct DeliveryMachineTests {
  @Test("the durable order is: director, staging, attempt, activation, commit")
  func order() throws {
    var bench = Bench()
    try bench.deliver(try bench.release(1), sequence: 1)
    #expect(bench.status.state == .committed)
    let steps = bench.effects.compactMap { effect -> String? in
      switch effect {
      case .persist(_, let bytes):
        guard let model = DeliveryRecord(bytes)?.models["digits"] else { return nil }
        return model.current != nil ? "commit" : model.candidate != nil ? "attempt" : "director"
      case .reserve: return "reserve"
      case .assemble: return "assemble"
      case .activate: return "activate"
      case .subscribe(let topics): return topics.contains { $0.contains("/rel/") } ? "ask" : nil
      default: return nil
      }
    }
    #expect(
      steps == ["director", "ask", "reserve", "assemble", "attempt", "activate", "commit"])
  }

  @Test("an older word of a broker that never gave the newer one is told apart from a replay")
  func behind() throws {
    var bench = Bench()
    bench.send(.disconnected)
    bench.send(.broker(0))
    bench.send(.connected)
    let first = bench.fleet.director(try bench.release(1).signed, sequence: 1)
    let topic = Topic.director(fleet: bench.fleet.name, model: "digits")
    try bench.deliver(try bench.release(1), sequence: 1)
    try bench.deliver(try bench.release(2), sequence: 2)
    func move(to place: Int) {
      bench.send(.disconnected)
      bench.send(.broker(place))
      bench.send(.connected)
    }
    move(to: 1)
    bench.hear(topic, try bench.fleet.sign(first))
    #expect(bench.status.cause == .sourceBehind && bench.status.serving == 2)
    #expect(bench.status.directorSequence == 2)
    // It catches up, and then goes back: that is a replay.
    let second = try bench.fleet.sign(bench.fleet.director(try bench.release(2).signed, sequence: 2))
    bench.hear(topic, second)
    #expect(bench.status.cause == nil)
    bench.hear(topic, try bench.fleet.sign(first))
    #expect(bench.status.cause == .rollback && bench.status.serving == 2)
    // As it is from the broker that gave the newer one, and another word of the same number.
    move(to: 0)
    bench.hear(topic, second)
    bench.hear(topic, try bench.fleet.sign(first))
    #expect(bench.status.cause == .rollback)
    move(to: 1)
    bench.hear(
      topic,
      try bench.fleet.sign(bench.fleet.director(try bench.release(3).signed, sequence: 2)))
    #expect(bench.status.cause == .rollback && bench.status.serving == 2)
  }

  @Test("no topic is ever asked for with a wildcard, and never more than a window of blocks")
  func exactTopics() throws {
    var bench = Bench()
    try bench.deliver(try bench.release(1), sequence: 1)
    #expect(bench.subscriptions.allSatisfy { Topic($0) != nil })
    for case .subscribe(let topics) in bench.effects {
      #expect(topics.count <= DeliveryLimits.window)
    }
  }

  @Test("what the device lacks is refused before anything is fetched")
  func needs() throws {
    let cases: [(Cause, (inout ReleaseDocument) -> Void)] = [
      (.needs, { $0.needs.architecture = "aarch64" }),
      (.needs, { $0.needs.processorFeatures = 0b100 }),
      (.needs, { $0.needs.runtimeMinimum = "1.10.1" }),
      (.needs, { $0.needs.runtimeMaximum = "1.9" }),
      (.overBudget, { $0.needs.peakBytes = 1 << 20 + 1 }),
    ]
    for (cause, change) in cases {
      var bench = Bench()
      try bench.deliver(try bench.release(1, change), sequence: 1)
      #expect(bench.status.state == .refused)
      #expect(bench.status.cause == cause)
      #expect(!bench.subscriptions.contains { $0.contains("/o/") })
    }
  }

  @Test("needs that are met exactly are met")
  func needsMet() throws {
    var bench = Bench()
    let release = try bench.release(1) {
      $0.needs.architecture = "x86_64"
      $0.needs.processorFeatures = 0b11
      $0.needs.runtimeMinimum = "1.10"
      $0.needs.runtimeMaximum = "1.10.0"
      $0.needs.peakBytes = 1 << 20
    }
    try bench.deliver(release, sequence: 1)
    #expect(bench.status.state == .committed)
  }

  @Test("a device that is not meant, or is told to pause, does nothing")
  func notMeant() throws {
    for change: (inout DirectorDocument) -> Void in [
      { $0.percent = 0 }, { $0.isPaused = true }, { $0.cohortLabels = ["lab"] },
    ] {
      var bench = Bench()
      try bench.deliver(try bench.release(1), sequence: 1, change)
      #expect(bench.status.state == .idle)
      #expect(bench.status.cause == nil)
    }
    var bench = Bench { $0.labels = ["lab"] }
    try bench.deliver(try bench.release(1), sequence: 1) { $0.cohortLabels = ["lab"] }
    #expect(bench.status.state == .committed)
  }

  @Test("a lower version needs the director's leave, and never goes below the security floor")
  func down() throws {
    var bench = Bench()
    try bench.deliver(try bench.release(2), sequence: 1)
    try bench.deliver(try bench.release(3) { $0.securityFloor = 2 }, sequence: 2)
    try bench.deliver(try bench.release(2), sequence: 3)
    #expect(bench.status.cause == .rollback && bench.status.serving == 3)
    try bench.deliver(try bench.release(2), sequence: 4) { $0.allowsDown = true }
    #expect(bench.status.state == .committed && bench.status.serving == 2)
    try bench.deliver(try bench.release(1), sequence: 5) { $0.allowsDown = true }
    #expect(bench.status.cause == .rollback && bench.status.serving == 2)
  }

  @Test("a second release of the number that serves is refused")
  func secondOfNumber() throws {
    var bench = Bench()
    try bench.deliver(try bench.release(1), sequence: 1)
    try bench.deliver(try bench.release(1) { $0.versionText = "other" }, sequence: 2)
    #expect(bench.status.cause == .rollback && bench.status.serving == 1)
  }

  @Test("a version that was being activated three times when the agent died is refused")
  func crashes() throws {
    var bench = Bench()
    let release = try bench.release(1)
    bench.activationFailure = .shuttingDown
    for attempt in 1...3 as ClosedRange<Int64> {
      try bench.deliver(release, sequence: 1)
      let record = try #require(bench.record)
      #expect(record.models["digits"]?.candidate?.attempts == attempt)
      bench = Bench(record: record)
      bench.activationFailure = .shuttingDown
    }
    try bench.deliver(release, sequence: 1)
    #expect(bench.status.cause == .attempts)
    #expect(bench.status.state == .refused)
    bench.activationFailure = nil
    try bench.deliver(release, sequence: 2)
    #expect(bench.status.state == .committed)
  }

  @Test("a newer word is followed in the middle of a fetch")
  func abandons() throws {
    var bench = Bench()
    let (first, second) = (try bench.release(1), try bench.release(2))
    let id = first.signed.object.index.objectID
    bench.hear(
      .director(fleet: bench.fleet.name, model: "digits"),
      try bench.fleet.sign(bench.fleet.director(first.signed, sequence: 1)))
    bench.hear(
      .release(fleet: bench.fleet.name, model: "digits", sequence: 1), first.signed.message)
    bench.hear(
      .index(fleet: bench.fleet.name, objectID: id), first.signed.object.index.bytes)
    #expect(bench.status.state == .fetching)
    try bench.deliver(second, sequence: 2)
    #expect(bench.status.state == .committed && bench.status.serving == 2)
    let dropped = bench.effects.contains {
      if case .unsubscribe(let topics) = $0 { topics.contains { $0.contains(id) } } else { false }
    }
    #expect(dropped)
  }

  @Test("a new root takes the old director's key away, and its numbers start again")
  func rotation() throws {
    var bench = Bench()
    try bench.deliver(try bench.release(1), sequence: .max)
    #expect(bench.status.state == .committed)

    let old = bench.fleet.keys
    let key = try PrivateKey(seed: [UInt8](repeating: 42, count: 32))
    var document = bench.fleet.trustedRoot.document
    document.version = 2
    document.keys = [old.root.publicKey, old.release.publicKey, key.publicKey]
    document.roles[.director] = .init(
      keyIdentifiers: [key.publicKey.identifier], threshold: 1)
    let root = try SignedMessage(role: .root, payload: document.encode(), keys: [old.root])
    let release = try bench.release(2)
    var director = bench.fleet.director(release.signed, sequence: 1)
    director.rootVersion = 2
    director.target.manifestSHA256 = SHA256.hash(release.message)
    let message = try SignedMessage(
      role: .director, payload: director.encode(), keys: [key]
    ).encode()

    let topic = Topic.director(fleet: bench.fleet.name, model: "digits")
    bench.hear(topic, message)
    #expect(bench.status.cause == .signature)
    bench.hear(.root(fleet: bench.fleet.name, version: 2), root.encode())
    #expect(bench.delivery.rootVersion == 2)
    #expect(bench.record?.root == root.encode())
    #expect(bench.status.state == .offered)
    bench.hear(topic, try bench.fleet.sign(bench.fleet.director(release.signed, sequence: .max)))
    #expect(bench.status.cause == .signature)

    let kept = try #require(bench.record)
    #expect(Bench(record: kept).delivery.rootVersion == 2)
  }

  @Test("a root that is not the next one, or that the old one did not sign, is not believed")
  func wrongRoot() throws {
    var bench = Bench()
    let other = TestFleet(name: bench.fleet.name, seed: 9)
    var document = other.trustedRoot.document
    document.version = 2
    let forged = try SignedMessage(
      role: .root, payload: document.encode(), keys: [other.keys.root])
    bench.hear(.root(fleet: bench.fleet.name, version: 2), forged.encode())
    #expect(bench.delivery.rootVersion == 1)
  }

  @Test("a clock before the director's word is not believed, one after its end is")
  func clock() throws {
    var bench = Bench()
    bench.now.wallSeconds = 0
    try bench.deliver(try bench.release(1), sequence: 1)
    #expect(bench.status.state == .committed)
    bench.now.wallSeconds = TestFleet.expires
    try bench.deliver(try bench.release(2), sequence: 2)
    #expect(bench.status.cause == .stale)
    #expect(bench.status.isStale && bench.status.serving == 1)
  }

  @Test("what cannot be stored is tried again, ever less often")
  func storageTrouble() throws {
    var bench = Bench()
    let release = try bench.release(1)
    try bench.deliver(release, sequence: 1)
    var waits: [Int64] = []
    let next = try bench.release(2)
    bench.hear(
      .director(fleet: bench.fleet.name, model: "digits"),
      try bench.fleet.sign(bench.fleet.director(next.signed, sequence: 2)))
    for _ in 0..<5 {
      bench.send(.failed(model: "digits", effect: .reserve, failure: .noSpace))
      #expect(bench.status.cause == .noSpace && bench.status.state == .waiting)
      waits.append(bench.delivery.deadline - bench.now.milliseconds)
      bench.now.milliseconds = bench.delivery.deadline
      bench.send(.tick)
      #expect(bench.status.state == .offered)
    }
    #expect(waits == waits.sorted())
    #expect(bench.status.serving == 1)
  }

  @Test("no seeded mutation of any message crashes the machine or installs anything")
  func mutations() throws {
    var bench = Bench()
    let release = try bench.release(1)
    let messages: [(Topic, [UInt8])] = [
      (
        .director(fleet: bench.fleet.name, model: "digits"),
        try bench.fleet.sign(bench.fleet.director(release.signed, sequence: 1))
      ),
      (
        .release(fleet: bench.fleet.name, model: "digits", sequence: 1), release.signed.message
      ),
      (
        .index(fleet: bench.fleet.name, objectID: release.signed.object.index.objectID),
        release.signed.object.index.bytes
      ),
    ]
    var random = SplitMix64(seed: 0xDE11)
    for (topic, payload) in messages {
      for _ in 0..<7_000 {
        let mutated = payload.mutated(using: &random)
        if mutated != payload { bench.hear(topic, mutated) }
      }
      #expect(!bench.effects.contains { if case .reserve = $0 { true } else { false } })
      bench.hear(topic, payload)
    }
    #expect(bench.status.state == .fetching)
  }
}
