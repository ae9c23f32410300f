import Cryptography
import DeliveryTestSupport
import ModelBundle
import ModelDelivery
import Publishing
import SignedDocuments
import TestSupport
import Testing

/// One machine on a broker that has what it has, with a store in memory.
private struct DeltaBench {
  let fleet = TestFleet()
  var delivery: Delivery
  var retained: [String: [UInt8]] = [:]
  var store: [Int64: [UInt8]] = [:]
  var staged: [UInt8] = []
  var stagedVersion: Int64 = 0
  var asked: Set<String> = []
  var milliseconds: Int64 = 0
  var baseIsReadable = true
  private var events: [DeliveryEvent] = []

  init() {
    delivery = Delivery(
      DeviceProfile(
        device: "device-1", models: ["digits"], root: fleet.trustedRoot, agent: "1.0.0",
        architecture: "x86_64", memoryBudget: 1 << 30, seed: 3), record: nil)
    send(.started)
    send(.connected)
  }

  var status: Delivery.Status {
    delivery.statuses(now: .init(milliseconds: milliseconds, wallSeconds: TestFleet.now))[0]
  }

  /// Puts a release on the broker, asks for it, and lets waits pass until it serves or `waits` are
  /// over.
  mutating func deliver(
    _ release: SignedRelease, waits: Int = 40, without isMissing: (String) -> Bool = { _ in false }
  ) throws {
    for (topic, bytes) in fleet.retained(release) where !isMissing(topic.name) {
      retained[topic.name] = bytes
    }
    asked = []
    let sequence = release.document.sequence
    let director = try fleet.sign(fleet.director(release, sequence: sequence))
    send(
      .message(topic: Topic.director(fleet: fleet.name, model: "digits").name, payload: director))
    for _ in 0..<waits where status.state != .committed {
      milliseconds = max(milliseconds, min(delivery.deadline, milliseconds + 1_000_000))
      send(.tick)
    }
  }

  func asks(for object: EncodedObject) -> Bool {
    asked.contains { $0.contains("/o/\(object.index.objectID)/") }
  }

  mutating func send(_ event: DeliveryEvent) {
    events.append(event)
    while !events.isEmpty {
      let event = events.removeFirst()
      let now = DeliveryTime(milliseconds: milliseconds, wallSeconds: TestFleet.now)
      var hasFailed = false
      for effect in delivery.handle(event, now: now) where !hasFailed {
        hasFailed = perform(effect)
      }
    }
  }

  /// Whether the effect failed.
  private mutating func perform(_ effect: DeliveryEffect) -> Bool {
    switch effect {
    case .subscribe(let topics):
      asked.formUnion(topics)
      events += topics.compactMap { topic in
        retained[topic].map { .message(topic: topic, payload: $0) }
      }
    case .verify(let model, let version, _, let bundle):
      let isWhole = store[version].map { SHA256.hash($0) == bundle } ?? false
      events.append(.verified(model: model, version: version, isWhole: isWhole))
    case .reserve(let reservation):
      let isResumed = stagedVersion == reservation.version
      if !isResumed { staged = [UInt8](repeating: 0, count: Int(reservation.byteCount)) }
      stagedVersion = reservation.version
      events.append(.reserved(model: reservation.model, isResumed: isResumed))
    case .hashStaged(let model, let size):
      let blocks = stride(from: 0, to: staged.count, by: size).map {
        SHA256.hash(Array(staged[$0..<min($0 + size, staged.count)]))
      }
      events.append(.hashed(model: model, blocks: blocks))
    case .write(_, let bytes, let offset):
      staged.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    case .copyBlocks(let model, let version, let blocks, let size):
      guard baseIsReadable else {
        events.append(.failed(model: model, effect: .copyBlocks, failure: .inputOutput))
        return true
      }
      for block in blocks {
        let range = block * size..<min((block + 1) * size, staged.count)
        staged.replaceSubrange(range, with: base(version, range))
      }
    case .readBase(let model, let version, let offset, let count):
      guard baseIsReadable else {
        events.append(.failed(model: model, effect: .readBase, failure: .inputOutput))
        return true
      }
      events.append(
        .baseRead(model: model, offset: offset, bytes: base(version, offset..<offset + count)))
    case .assemble(let model, let bundle):
      guard SHA256.hash(staged) == bundle else {
        events.append(.failed(model: model, effect: .assemble, failure: .digestMismatch))
        return true
      }
      store[stagedVersion] = staged
      stagedVersion = 0
      events.append(.assembled(model: model))
    case .activate(let model, let version, _):
      events.append(.activated(model: model, version: version, failure: nil))
    default: break
    }
    return false
  }

  private func base(_ version: Int64, _ range: Range<Int>) -> [UInt8] {
    let there = (store[version] ?? []).dropFirst(range.lowerBound).prefix(range.count)
    return there + [UInt8](repeating: 0, count: range.count - there.count)
  }
}

@Suite("Delivery of deltas")
struct DeltaDeliveryTests {
  private let fleet = TestFleet()

  /// Three versions of a model of 400 KB: the second differs in its last block, the third in each
  /// byte of one half a little; each is released as a whole and as differences from those before.
  private func releases() throws -> [SignedRelease] {
    var random = SplitMix64(seed: 7)
    let first = (0..<400_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    var second = first
    for place in 399_000..<400_000 { second[place] ^= 1 }
    var third = second
    for place in 0..<200_000 { third[place] &+= UInt8.random(in: 0...1, using: &random) }
    let bundles = try [first, second, third].map { try fleet.bundle(model: $0) }
    return try bundles.indices.map {
      try fleet.release(
        bundles[$0], version: Int64($0 + 1), bases: Array(bundles.prefix($0)))
    }
  }

  @Test("the smallest object whose base is installed is fetched, and nothing of the others")
  func smallest() throws {
    let releases = try releases()
    var bench = DeltaBench()
    try bench.deliver(releases[0])
    #expect(bench.status.serving == 1 && bench.asks(for: releases[0].object))
    try bench.deliver(releases[1])
    #expect(bench.status.serving == 2)
    #expect(bench.asks(for: releases[1].deltas[0]) && !bench.asks(for: releases[1].object))
    #expect(bench.store[2].map { SHA256.hash($0) } == releases[1].document.bundleSHA256)
    // One block changed, so one block is asked for.
    #expect(bench.asked.count { $0.contains("/o/") && !$0.hasSuffix("/h") } <= 2)
    try bench.deliver(releases[2])
    #expect(bench.status.serving == 3 && !bench.asks(for: releases[2].object))
  }

  @Test("without a base the whole is fetched")
  func noBase() throws {
    let releases = try releases()
    var bench = DeltaBench()
    try bench.deliver(releases[2])
    #expect(bench.status.serving == 3 && !bench.asks(for: releases[2].deltas[0]))
  }

  @Test("a delta whose index or whose blocks never come is given up for the whole")
  func silence() throws {
    let releases = try releases()
    let id = releases[1].deltas[0].index.objectID
    for suffix in ["/h", ""] {
      var bench = DeltaBench()
      try bench.deliver(releases[0])
      try bench.deliver(releases[1]) { topic in
        topic.contains("/o/\(id)/") && (suffix == "" ? !topic.hasSuffix("/h") : true)
      }
      #expect(bench.status.serving == 2 && bench.asks(for: releases[1].object))
    }
  }

  @Test("a base that cannot be read, or has rotted, costs the whole and nothing else")
  func badBase() throws {
    let releases = try releases()
    for (i, rots) in [(1, false), (1, true), (2, false), (2, true)] {
      var bench = DeltaBench()
      try bench.deliver(releases[i - 1])
      if rots {
        bench.store[Int64(i)]?[20_000] ^= 1
        bench.store[Int64(i)]?[399_500] ^= 1
      } else {
        bench.baseIsReadable = false
      }
      try bench.deliver(releases[i])
      #expect(bench.status.serving == Int64(i + 1))
      #expect(bench.store[Int64(i + 1)].map { SHA256.hash($0) }
        == releases[i].document.bundleSHA256)
    }
  }
}
