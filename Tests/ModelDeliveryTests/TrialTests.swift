import DeliveryTestSupport
import SignedDocuments
import Testing

@testable import ModelDelivery

@Suite("Versions on trial")
struct TrialTests {
  /// A device that keeps version 1 and has version 2 on trial.
  private func bench(_ change: (inout ReleaseDocument) -> Void = { _ in }) throws -> Bench {
    var bench = Bench()
    try bench.deliver(try bench.release(1), sequence: 1)
    bench.observations[1] = VersionObservation(requests: 1000, latencyP95: 100)
    let release = try bench.release(2) {
      $0.gate.trialMinutes = 10
      change(&$0)
    }
    try bench.deliver(release, sequence: 2)
    #expect(bench.status.state == .trial && bench.status.serving == 2)
    return bench
  }

  /// The same device after its agent has ended.
  private func restarted(_ bench: Bench) throws -> Bench {
    let record = try #require(bench.record)
    var next = Bench(record: record, stored: bench.stored, releases: bench.releases)
    next.observations = bench.observations
    return next
  }

  private func hearAgain(_ bench: inout Bench, _ sequence: Int64) throws {
    let release = try bench.release(2) { $0.gate.trialMinutes = 10 }
    try bench.deliver(release, sequence: sequence)
  }

  @Test("a version is on trial first, and what it raises it raises when it is kept")
  func kept() throws {
    var bench = try bench { $0.securityFloor = 2 }
    #expect(bench.status.previous == 1)
    let trial = try #require(bench.record?.models["digits"])
    #expect(trial.trial != nil && trial.releaseSequence == 1 && trial.securityFloor == 0)
    bench.observations[2] = VersionObservation(requests: 500)
    bench.pass(599_000)
    #expect(bench.status.state == .trial)
    bench.pass(2_000)
    #expect(bench.status.state == .committed && bench.status.cause == nil)
    let kept = try #require(bench.record?.models["digits"])
    #expect(kept.trial == nil && kept.releaseSequence == 2 && kept.securityFloor == 2)
    #expect(bench.delivery.deadline >= DeliveryLimits.scrubMilliseconds)
  }

  @Test("failing requests take it back within a second, with no network, and for good")
  func failing() throws {
    var bench = try bench()
    bench.send(.disconnected)
    bench.observations[2] = VersionObservation(requests: 50, errors: 40)
    bench.pass(1_000)
    #expect(bench.status.serving == 1 && bench.status.cause == .errorRate)
    #expect(bench.status.state == .rolledBack)
    #expect(bench.activated == [1, 2, 1])
    let record = try #require(bench.record?.models["digits"])
    #expect(record.current?.version == 1 && record.trial == nil)
    #expect(record.candidate?.cause == .errorRate)

    // A restart keeps it, and the same word of the director does not bring it back.
    var next = try restarted(bench)
    #expect(next.activated == [1] && next.status.serving == 1)
    try hearAgain(&next, 2)
    #expect(next.status.serving == 1 && next.status.cause == .errorRate)
    #expect(next.status.state == .rolledBack)
    // A new word does.
    next.observations[2] = nil
    try hearAgain(&next, 3)
    #expect(next.status.state == .trial && next.status.serving == 2)
  }

  @Test("a version that was slower than allowed, or grew, is taken back with its own cause")
  func gates() throws {
    var slow = try bench { $0.gate.latencyRatioMaximum = 2000 }
    slow.observations[2] = VersionObservation(requests: 200, latencyP95: 201)
    slow.pass(500)
    #expect(slow.status.serving == 1 && slow.status.cause == .gateLatency)
    var leaky = try bench { $0.gate.residentBytesMaximum = 1 << 20 }
    leaky.observations[2] = VersionObservation(residentBytes: 10 << 20)
    leaky.pass(500)
    leaky.observations[2] = VersionObservation(residentBytes: 12 << 20)
    leaky.pass(500)
    #expect(leaky.status.serving == 1 && leaky.status.cause == .gateMemory)
  }

  @Test("the gates of a release are handed to whoever proves it")
  func proof() throws {
    let bench = try bench {
      $0.gate.latencyRatioMaximum = 1250
      $0.gate.residentBytesMaximum = 77
    }
    var wanted = DeliveryEffect.Proof()
    (wanted.latencyRatio, wanted.memoryBytes, wanted.keepsPipelines) = (1250, 77, true)
    #expect(
      bench.effects.contains(.activate(model: "digits", version: 2, proof: wanted)))
  }

  @Test("the agent that ends three times on a trial comes back with the version before")
  func crashes() throws {
    var bench = try bench()
    for crash in 1...2 as ClosedRange<Int64> {
      bench = try restarted(bench)
      #expect(bench.record?.models["digits"]?.trial?.crashes == crash)
      #expect(bench.status.serving == 2)
      // Counted before the version was activated once more.
      let steps = bench.effects.compactMap { effect -> String? in
        switch effect {
        case .persist: "persist"
        case .activate: "activate"
        default: nil
        }
      }
      #expect(steps.first == "persist" && steps.contains("activate"))
    }
    bench = try restarted(bench)
    #expect(bench.activated == [1] && bench.status.serving == 1)
    #expect(bench.record?.models["digits"]?.candidate?.cause == .crashLoop)
    try hearAgain(&bench, 2)
    #expect(bench.status.serving == 1 && bench.status.cause == .crashLoop)
    bench = try restarted(bench)
    #expect(bench.activated == [1])
  }

  @Test("a start after an end in order is not counted")
  func orderly() throws {
    var bench = try bench()
    for _ in 1...5 {
      bench.send(.stopping)
      bench = try restarted(bench)
      #expect(bench.record?.models["digits"]?.trial?.crashes == 0)
      #expect(bench.status.serving == 2)
    }
    // The rules come with it: what the release said is read from the store.
    bench.observations[2] = VersionObservation(requests: 500)
    bench.pass(600_250)
    #expect(bench.record?.models["digits"]?.trial == nil)
  }

  @Test("the first version of all that crashes three times is given up, and the next one taken")
  func firstOfAll() throws {
    var bench = Bench()
    let release = try bench.release(1) { $0.gate.trialMinutes = 10 }
    try bench.deliver(release, sequence: 1)
    bench.observations[1] = VersionObservation(requests: 50, errors: 50)
    bench.pass(5_000)
    // It serves badly; nothing would serve worse.
    #expect(bench.status.serving == 1 && bench.status.cause == .errorRate)
    for _ in 1...3 { bench = try restarted(bench) }
    #expect(bench.activated.isEmpty && bench.status.serving == nil)
    try bench.deliver(release, sequence: 1)
    #expect(bench.status.cause == .crashLoop && bench.status.serving == nil)
    try bench.deliver(try bench.release(2), sequence: 2)
    #expect(bench.status.serving == 2 && bench.status.state == .committed)
  }

  @Test("the time on trial is counted over restarts, and written down at a bounded rate")
  func durableTime() throws {
    var bench = try bench()
    bench.observations[2] = VersionObservation(requests: 100)
    bench.effects = []
    bench.pass(299_000)
    let saves = bench.effects.count { if case .persist = $0 { true } else { false } }
    #expect(saves == 4, "once a minute")
    #expect(bench.record?.models["digits"]?.trial?.servedSeconds == 240)
    // A crash loses less than a minute of it, an end in order nothing.
    bench = try restarted(bench)
    bench.pass(60_000)
    bench.send(.stopping)
    #expect(bench.record?.models["digits"]?.trial?.servedSeconds == 300)
    #expect(bench.record?.models["digits"]?.trial?.requests == 200)
    bench = try restarted(bench)
    bench.pass(298_000)
    #expect(bench.record?.models["digits"]?.trial != nil)
    bench.pass(3_000)
    #expect(bench.record?.models["digits"]?.trial == nil)
  }

  @Test("requests before a restart count for the trial's minimum")
  func durableRequests() throws {
    var bench = try bench { $0.gate.trialRequestsMinimum = 150 }
    bench.observations[2] = VersionObservation(requests: 100)
    bench.pass(300_000)
    bench.send(.stopping)
    bench = try restarted(bench)
    bench.observations[2] = VersionObservation(requests: 49)
    bench.pass(301_000)
    #expect(bench.record?.models["digits"]?.trial != nil)
    bench.observations[2] = VersionObservation(requests: 50)
    bench.pass(1_000)
    #expect(bench.record?.models["digits"]?.trial == nil)
  }

  @Test("a first version that fails stays on trial with its cause, and is kept once it no longer does")
  func firstRecovers() throws {
    var bench = Bench()
    let release = try bench.release(1) {
      $0.gate.trialMinutes = 10
      $0.securityFloor = 1
    }
    try bench.deliver(release, sequence: 1)
    for second in 1...700 as ClosedRange<Int64> {
      bench.observations[1] = VersionObservation(requests: 50 * second, errors: 50 * second)
      bench.pass(1_000)
    }
    #expect(bench.status.state == .trial && bench.status.cause == .errorRate)
    let record = try #require(bench.record?.models["digits"])
    #expect(record.trial != nil && record.releaseSequence == 0 && record.securityFloor == 0)
    bench.pass(50_000)
    #expect(bench.status.state == .trial && bench.status.cause == .errorRate)
    // The last failures leave the window.
    bench.pass(12_000)
    #expect(bench.status.state == .committed && bench.status.cause == nil)
    #expect(bench.record?.models["digits"]?.releaseSequence == 1)
  }

  @Test("a version after a first one that failed is none to go back from to it")
  func firstIsNoWayBack() throws {
    var bench = Bench()
    try bench.deliver(try bench.release(1) { $0.gate.trialMinutes = 10 }, sequence: 1)
    bench.observations[1] = VersionObservation(requests: 50, errors: 50)
    bench.pass(1_000)
    try bench.deliver(try bench.release(2) { $0.gate.trialMinutes = 10 }, sequence: 2)
    #expect(bench.status.serving == 2 && bench.status.previous == nil)
  }

  @Test("a version that follows one on trial goes back to the one that was kept")
  func twoInARow() throws {
    var bench = try bench()
    try bench.deliver(try bench.release(3) { $0.gate.trialMinutes = 10 }, sequence: 3)
    #expect(bench.status.serving == 3 && bench.status.previous == 1)
    bench.observations[3] = VersionObservation(requests: 50, errors: 50)
    bench.pass(500)
    #expect(bench.status.serving == 1 && bench.status.state == .rolledBack)
  }

  @Test("the director's way back to the kept version needs no trial")
  func wayBack() throws {
    var bench = try bench()
    try bench.deliver(try bench.release(1), sequence: 3)
    #expect(bench.status.serving == 1 && bench.status.state == .committed)
    #expect(bench.record?.models["digits"]?.trial == nil)
  }

  @Test("a start that cannot be counted is a start all the same")
  func uncounted() throws {
    let bench = try bench()
    let record = try #require(bench.record)
    var next = Bench(record: record, stored: bench.stored)
    next.send(.failed(model: "digits", effect: .persist, failure: .inputOutput))
    #expect(next.status.serving == 2)
  }
}
