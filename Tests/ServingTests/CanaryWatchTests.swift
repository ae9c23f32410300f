import Testing

@testable import Serving

@Suite("Canary watch")
struct CanaryWatchTests {
  private static let second: UInt64 = 1_000_000_000

  private static func rules(_ adjust: (inout CanaryRules) -> Void = { _ in }) -> CanaryRules {
    var rules = CanaryRules()
    rules.windowSeconds = 10
    rules.requestsMinimum = 20
    adjust(&rules)
    return rules
  }

  private struct Verdict: Equatable {
    var cause: CanaryCause
    /// Requests of each version.
    var after: Int
  }

  /// Feeds requests of both versions; the first cause that comes of it, and after how many.
  private static func run(
    _ watch: inout CanaryWatch, _ count: Int, from start: UInt64 = 0,
    every step: UInt64 = 1_000_000, canary: (Int) -> (RequestOutcome, UInt64), stable: (Int) -> (RequestOutcome, UInt64)
  ) -> Verdict? {
    for index in 0..<count {
      let now = start + UInt64(index) * step
      let (first, before) = stable(index)
      _ = watch.record(isCanary: false, first, nanoseconds: before, now: now)
      let (outcome, nanoseconds) = canary(index)
      if let cause = watch.record(isCanary: true, outcome, nanoseconds: nanoseconds, now: now) {
        return Verdict(cause: cause, after: index + 1)
      }
    }
    return nil
  }

  @Test("a version that does like the other stays")
  func alike() {
    var watch = CanaryWatch(Self.rules(), now: 0)
    let result = Self.run(
      &watch, 10_000, canary: { ($0 % 50 == 0 ? .invalid : .ok, 1_000_000) },
      stable: { ($0 % 50 == 1 ? .invalid : .ok, 1_000_000) })
    #expect(result == nil)
  }

  @Test("a version that errs is taken back at its first request that can be judged")
  func errs() throws {
    var watch = CanaryWatch(Self.rules(), now: 0)
    let result = try #require(
      Self.run(&watch, 1000, canary: { _ in (.invalid, 0) }, stable: { _ in (.ok, 1_000_000) }))
    #expect(result.after == 20)
    #expect(result.cause == .errorRate(canary: 1, stable: 0))
  }

  @Test("failures that both versions have are none of the canary's")
  func commonFailures() {
    var watch = CanaryWatch(Self.rules(), now: 0)
    let result = Self.run(
      &watch, 2000, canary: { ($0 % 3 == 0 ? .queueFull : .ok, 1_000_000) },
      stable: { ($0 % 3 == 0 ? .queueFull : .ok, 1_000_000) })
    #expect(result == nil)
  }

  @Test("a version that is slower than allowed is taken back, and a little slower is not")
  func slower() throws {
    var watch = CanaryWatch(Self.rules(), now: 0)
    let result = try #require(
      Self.run(
        &watch, 1000, canary: { _ in (.ok, 3_000_000) }, stable: { _ in (.ok, 1_000_000) }))
    guard case .latency(let canary, let stable) = result.cause else {
      Issue.record("\(result.cause)")
      return
    }
    #expect((2_900...3_400).contains(canary))
    #expect((900...1_200).contains(stable))
    #expect(result.after <= 32)
    var patient = CanaryWatch(Self.rules(), now: 0)
    #expect(
      Self.run(
        &patient, 1000, canary: { _ in (.ok, 1_500_000) }, stable: { _ in (.ok, 1_000_000) })
        == nil)
  }

  @Test("clients that leave say nothing about a version")
  func cancelled() {
    var watch = CanaryWatch(Self.rules(), now: 0)
    let result = Self.run(
      &watch, 1000, canary: { _ in (.cancelled, 0) }, stable: { _ in (.ok, 1_000_000) })
    #expect(result == nil)
  }

  @Test("what lies before the window is forgotten")
  func window() {
    var watch = CanaryWatch(Self.rules { $0.requestsMinimum = 100 }, now: 0)
    // Ninety failures in the first half, too few to be judged.
    let first = Self.run(
      &watch, 90, canary: { _ in (.invalid, 0) }, stable: { _ in (.ok, 1_000_000) })
    #expect(first == nil)
    let later = Self.run(
      &watch, 1000, from: 11 * Self.second, canary: { ($0 % 40 == 0 ? .invalid : .ok, 1_000_000) },
      stable: { _ in (.ok, 1_000_000) })
    #expect(later == nil)
  }
}
