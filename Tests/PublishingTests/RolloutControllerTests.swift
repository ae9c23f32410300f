import Cryptography
import DeliveryTestSupport
import ModelDelivery
import Publishing
import SignedDocuments
import TestSupport
import Testing

@Suite("Rollout")
struct RolloutControllerTests {
  private typealias Device = RolloutController.Device

  private static func devices(
    served: Int, failed: Int = 0, waiting: Int = 0, away: Int = 0, cause: String = "gate-latency"
  ) -> [Device] {
    (0..<served).map { _ in Device(isMeant: true, isOnline: true, serves: true) }
      + (0..<failed).map { _ in
        Device(isMeant: true, isOnline: true, serves: false, failure: cause)
      } + (0..<waiting).map { _ in Device(isMeant: true, isOnline: true, serves: false) }
      + (0..<away).map { _ in Device(isMeant: true, isOnline: false, serves: false) }
  }

  private func verdict(_ devices: [Device], after seconds: Int64 = 3600)
    -> RolloutController.Verdict
  {
    RolloutController().assess(devices, elapsedSeconds: seconds).verdict
  }

  @Test("Wilson's interval holds the published values of 0 of 10, 1 of 10 and 5 of 10")
  func wilson() {
    for (failures, lower, upper) in [(0, 0, 0.2775), (1, 0.0179, 0.4042), (5, 0.2366, 0.7634)] {
      let interval = WilsonInterval(failures: failures, of: 10)
      #expect(abs(interval.lower - lower) < 1e-4 && abs(interval.upper - upper) < 1e-4)
    }
    #expect(WilsonInterval(failures: 0, of: 0) == WilsonInterval(failures: 0, of: 0))
    #expect(WilsonInterval(failures: 0, of: 0).upper == 1)
  }

  @Test("a stage advances when enough of it serves and the soak is over")
  func advance() {
    #expect(verdict(Self.devices(served: 80, waiting: 20)) == .advance)
    #expect(verdict(Self.devices(served: 79, waiting: 21)) == .wait)
    #expect(verdict(Self.devices(served: 100), after: 599) == .wait)
    #expect(verdict(Self.devices(served: 3)) == .advance)
    #expect(verdict(Self.devices(served: 2, waiting: 1)) == .wait)
    #expect(verdict([]) == .wait)
    let others = [Device(isMeant: false, isOnline: true, serves: false)]
    #expect(verdict(others) == .advance)
    #expect(verdict(others, after: 599) == .wait)
  }

  @Test("devices that are away hold nothing up")
  func away() {
    #expect(verdict(Self.devices(served: 80, away: 1000)) == .advance)
    #expect(verdict(Self.devices(served: 0, away: 1000)) == .wait)
  }

  @Test("failures abort at five when their rate is surely too high, outputs that differ at three")
  func abort() {
    #expect(verdict(Self.devices(served: 20, failed: 4)) == .wait)
    #expect(verdict(Self.devices(served: 20, failed: 5)) == .abort)
    #expect(verdict(Self.devices(served: 1000, failed: 5)) == .advance)
    #expect(verdict(Self.devices(served: 1000, failed: 2, cause: "gate-mismatch")) == .advance)
    #expect(verdict(Self.devices(served: 1000, failed: 3, cause: "gate-mismatch")) == .abort)
  }

  @Test("more failures never turn the verdict for the better, in 2,000 seeded fleets")
  func monotone() {
    var random = SplitMix64(seed: 0x2077)
    let rank: [RolloutController.Verdict: Int] = [.advance: 0, .wait: 1, .abort: 2]
    for _ in 0..<2_000 {
      let served = Int.random(in: 1...300, using: &random)
      let failed = Int.random(in: 0...min(served - 1, 40), using: &random)
      let waiting = Int.random(in: 0...50, using: &random)
      let before = verdict(Self.devices(served: served, failed: failed, waiting: waiting))
      let after = verdict(Self.devices(served: served - 1, failed: failed + 1, waiting: waiting))
      #expect((rank[after] ?? 0) >= (rank[before] ?? 3), "\(served) \(failed) \(waiting)")
    }
  }

  private func document() throws -> (DirectorDocument, DirectorDocument.Reference) {
    let fleet = TestFleet()
    let first = try fleet.release(fleet.bundle(model: [1, 2, 3]), version: 1)
    let second = try fleet.release(fleet.bundle(model: [4, 5, 6]), version: 2)
    return (fleet.director(first, sequence: 1), second.reference)
  }

  @Test("from an abort nothing widens before a rollout is begun again")
  func afterAbort() throws {
    var (document, target) = try document()
    let before = document.target
    try document.startRollout(
      of: target, percent: 100, cohortLabels: ["lab"], spreadSeconds: 60, salt: [1],
      allowsDown: false)
    #expect(document.fallback == before && document.stage == 1)
    try document.advance(to: 1_000)
    #expect(throws: PublishingError.percentNotAbove(now: 1_000, requested: 1_000)) {
      try document.advance(to: 1_000)
    }
    try document.abort()
    #expect(document.target == before && document.percent == 10_000 && document.allowsDown)
    for percent in [1, 5_000, 10_000] as [Int64] {
      #expect(throws: PublishingError.noRollout(model: "digits")) {
        try document.advance(to: percent)
      }
    }
    #expect(throws: PublishingError.noFallback(model: "digits")) { try document.abort() }
  }

  @Test("a part of 20,000 devices is as large as it says, grows only, and differs by salt")
  func buckets() throws {
    var (document, target) = try document()
    func members(_ salt: UInt8, _ percent: Int64) throws -> Set<Int> {
      try document.startRollout(
        of: target, percent: percent, cohortLabels: [], spreadSeconds: 0, salt: [salt],
        allowsDown: false)
      document.stage = nil
      return Set(
        (0..<20_000).filter { document.includes(device: "device-\($0)", labels: []) })
    }
    let (one, ten, other) = (try members(1, 100), try members(1, 1_000), try members(2, 100))
    #expect((150...250).contains(one.count) && (1_850...2_150).contains(ten.count))
    #expect(one.isSubset(of: ten))
    #expect(one.intersection(other).count < 15)
  }

  @Test("an older version is a rollout only when that is said")
  func down() throws {
    var (document, target) = try document()
    document.target.sequence = 3
    #expect(throws: PublishingError.versionNotAbove(published: 3, requested: 2)) {
      try document.startRollout(
        of: target, percent: 100, cohortLabels: [], spreadSeconds: 0, salt: [], allowsDown: false)
    }
    target.sequence = 2
    document.rollBack(to: target)
    #expect(document.target == target && document.allowsDown && document.fallback?.sequence == 3)
  }

  private func stage(_ percent: Int64, _ change: (inout DirectorDocument) -> Void = { _ in })
    -> DirectorDocument
  {
    var document = DirectorDocument(
      fleet: "test-fleet", model: "digits", rootVersion: 1, sequence: 5, issued: TestFleet.now,
      expires: TestFleet.expires, target: .init(sequence: 2, manifestSHA256: SHA256.hash([2])),
      fallback: .init(sequence: 1, manifestSHA256: SHA256.hash([1])), percent: percent, stage: 1)
    change(&document)
    return document
  }

  @Test("a plan takes its stages in order, ends at everyone, and leaves to people what they hold")
  func plan() throws {
    let plan = try #require(RolloutPlan(stages: [200, 5_000]))
    #expect(plan.stages == [200, 5_000, 10_000])
    let good = RolloutController().assess(Self.devices(served: 80), elapsedSeconds: 3600)
    let bad = RolloutController().assess(
      Self.devices(served: 20, failed: 9), elapsedSeconds: 3600)
    let early = RolloutController().assess(Self.devices(served: 80), elapsedSeconds: 1)
    #expect(plan.step(stage(200), good) == .advance(to: 5_000))
    #expect(plan.step(stage(1), good) == .advance(to: 200))
    #expect(plan.step(stage(7_000), good) == .advance(to: 10_000))
    #expect(plan.step(stage(10_000), good) == .complete)
    #expect(plan.step(stage(200), early) == .wait)
    #expect(plan.step(stage(200), bad) == .abort)
    #expect(plan.step(stage(200) { $0.isPaused = true }, good) == .paused)
    #expect(plan.step(stage(200) { $0.isPaused = true }, bad) == .abort)
    #expect(plan.step(stage(200) { $0.stage = nil }, good) == .ended)
    for stages: [Int64] in [[], [0, 100], [100, 100], [200, 100], [10_001]] where !stages.isEmpty {
      #expect(RolloutPlan(stages: stages) == nil)
    }
  }

  @Test("from an abort no path leads to a wider part without a person", arguments: 1...200)
  func noWayBack(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let plan = try #require(RolloutPlan())
    var document = stage(100)
    var hasAborted = false
    for _ in 0..<200 {
      let devices = Self.devices(
        served: .random(in: 0...40, using: &random), failed: .random(in: 0...8, using: &random),
        waiting: .random(in: 0...10, using: &random))
      let assessment = RolloutController().assess(
        devices, elapsedSeconds: .random(in: 0...2000, using: &random))
      switch plan.step(document, assessment) {
      case .advance(let percent):
        #expect(!hasAborted && percent > document.percent)
        try document.advance(to: percent)
      case .abort:
        try document.abort()
        hasAborted = true
        #expect(document.target.sequence == 1)
      default: break
      }
    }
    if hasAborted { #expect(plan.step(document, .init(.advance)) == .ended) }
  }

  @Test("on trial a device has not come to its end, taken back it has failed, pinned it is left out")
  func trialStates() {
    var snapshot = FleetSnapshot()
    for (name, state, current, isPinned) in [
      ("a", "trial", 2, false), ("b", "rolled-back", 1, false), ("c", "committed", 2, false),
      ("d", "committed", 1, true), ("e", "failing", 2, false), ("f", "held", 1, false),
    ] as [(String, String, Int64, Bool)] {
      let status = StatusDocument(
        birth: 1, sequence: 1, agent: "1", kernels: "k",
        models: [
          .init(
            name: "digits", state: state == "failing" ? "trial" : state, current: current, target: 2,
            cause: ["rolled-back", "failing"].contains(state) ? "error-rate" : nil,
            directorSequence: 5, isPinned: isPinned)
        ], heldUntil: state == "held" ? 0 : nil)
      snapshot.take(Topic.status(fleet: "test-fleet", device: name).name, status.encode())
    }
    let devices = snapshot.rollout(stage(10_000))
    #expect(devices.count == 4)
    #expect(devices.count(where: \.serves) == 1)
    // Taken back, or on trial for good because nothing was there before it.
    #expect(devices.compactMap(\.failure) == ["error-rate", "error-rate"])
  }
}

extension RolloutController.Assessment {
  fileprivate init(_ verdict: RolloutController.Verdict) {
    self = RolloutController().assess([], elapsedSeconds: 0)
    self.verdict = verdict
  }
}
