import Cryptography
import SignedDocuments
import Testing

@testable import ModelDelivery

@Suite("Trial watch")
struct TrialWatchTests {
  private func rules(
    errorRate: Int64 = 10_000, latencyP95: Int64 = 0, _ change: (inout ReleaseDocument.Gate) -> Void
      = { _ in }
  ) -> TrialRules {
    var gate = ReleaseDocument.Gate(trialMinutes: 10)
    change(&gate)
    return TrialRules(gate, errorRate: errorRate, latencyP95: latencyP95)
  }

  private func time(_ milliseconds: Int64) -> DeliveryTime {
    DeliveryTime(milliseconds: milliseconds, wallSeconds: 0)
  }

  /// The verdict after each second in which so many requests ended, of which so many failed.
  private func verdicts(_ rules: TrialRules, _ seconds: [(requests: Int64, errors: Int64)])
    -> [TrialWatch.Verdict]
  {
    var watch = TrialWatch(rules, now: time(0))
    var total = VersionObservation()
    return seconds.enumerated().map { second, counts in
      total.requests += counts.requests
      total.errors += counts.errors
      return watch.take(total, time(Int64(second + 1) * 1000))
    }
  }

  @Test("a version that answers is kept at the end of its trial, and not before")
  func kept() {
    let verdicts = verdicts(rules(), Array(repeating: (1000, 5), count: 600))
    #expect(verdicts.dropLast().allSatisfy { $0 == .wait })
    #expect(verdicts.last == .keep)
  }

  @Test("one that fails is taken back within a second, with or without a good past")
  func failing() {
    #expect(verdicts(rules(), [(100, 100)]) == [.rollBack(.errorRate)])
    let late = verdicts(rules(), Array(repeating: (1000, 0), count: 300) + [(1000, 1000)])
    #expect(late.last == .rollBack(.errorRate))
    #expect(late.dropLast().allSatisfy { $0 == .wait })
  }

  @Test("a few failures prove nothing, and a rate below the limit neither")
  func few() {
    #expect(verdicts(rules(), [(4, 4)]) == [.wait])
    #expect(verdicts(rules(), [(5, 5)]) == [.rollBack(.errorRate)])
    #expect(verdicts(rules(), Array(repeating: (1000, 9), count: 60)).allSatisfy { $0 == .wait })
    #expect(
      verdicts(rules(errorRate: 500_000), Array(repeating: (1000, 480), count: 60))
        .allSatisfy { $0 == .wait })
  }

  @Test("the window forgets: what failed two minutes ago is not held against a version")
  func window() {
    var seconds = Array(repeating: (requests: Int64(0), errors: Int64(0)), count: 200)
    for second in [0, 70, 140] { seconds[second] = (4, 4) }
    #expect(verdicts(rules(), seconds).allSatisfy { $0 == .wait })
    seconds[30] = (4, 4)
    #expect(verdicts(rules(), seconds).contains(.rollBack(.errorRate)))
  }

  @Test("what failed before the version is allowed to it")
  func former() {
    let gate = ReleaseDocument.Gate(trialMinutes: 1)
    #expect(TrialRules.errorRate(gate, after: nil) == 10_000)
    #expect(
      TrialRules.errorRate(gate, after: VersionObservation(requests: 19, errors: 19)) == 10_000)
    let allowed = TrialRules.errorRate(
      gate, after: VersionObservation(requests: 1000, errors: 300))
    #expect((300_000...340_000).contains(allowed))
    #expect(
      TrialRules.errorRate(gate, after: VersionObservation(requests: 50, errors: 50))
        == 1_000_000)
    let strict = ReleaseDocument.Gate(trialMinutes: 1, errorRateMaximum: 0)
    #expect(TrialRules.errorRate(strict, after: nil) == 0)
  }

  @Test("latency is measured against the version before, once both have answered enough")
  func latency() {
    let gate = ReleaseDocument.Gate(latencyRatioMaximum: 1500, trialMinutes: 1)
    let former = VersionObservation(requests: 100, latencyP95: 200)
    #expect(TrialRules.latencyP95(gate, after: former) == 300)
    #expect(TrialRules.latencyP95(gate, after: VersionObservation(requests: 99)) == 0)
    #expect(TrialRules.latencyP95(.init(trialMinutes: 1), after: former) == 0)
    var watch = TrialWatch(rules(latencyP95: 300), now: time(0))
    #expect(watch.take(.init(requests: 99, latencyP95: 900), time(250)) == .wait)
    #expect(watch.take(.init(requests: 100, latencyP95: 300), time(500)) == .wait)
    #expect(
      watch.take(.init(requests: 101, latencyP95: 301), time(750)) == .rollBack(.gateLatency))
  }

  @Test("an agent that grows beyond what is allowed takes the version back")
  func growth() {
    var watch = TrialWatch(rules { $0.residentBytesMaximum = 1000 }, now: time(0))
    #expect(watch.take(.init(residentBytes: 50_000), time(250)) == .wait)
    #expect(watch.take(.init(residentBytes: 51_000), time(500)) == .wait)
    #expect(
      watch.take(.init(residentBytes: 51_001), time(750)) == .rollBack(.gateMemory))
  }

  @Test("too few requests keep a trial open, ten times as long and no longer")
  func patience() {
    var watch = TrialWatch(rules { $0.trialRequestsMinimum = 100 }, now: time(0))
    #expect(watch.take(.init(requests: 99), time(600_000)) == .wait)
    #expect(watch.take(.init(requests: 99), time(5_999_999)) == .wait)
    #expect(watch.take(.init(requests: 99), time(6_000_000)) == .keep)
    #expect(watch.take(.init(requests: 100), time(600_000)) == .keep)
  }
}
