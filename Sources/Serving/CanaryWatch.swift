import Synchronization

/// Compares a canary with the stable version over a sliding window; a pure value of the times that
/// it is given.
struct CanaryWatch: Sendable {
  private struct Side: Sendable {
    var requests = 0
    var errors = 0
    var latency = LatencyHistogram()

    /// The requests of both.
    func joined(_ other: Side) -> Side {
      var sum = self
      sum.requests += other.requests
      sum.errors += other.errors
      sum.latency.add(other.latency)
      return sum
    }

    var p99: UInt64 { latency.quantile(0.99) }
  }

  /// Answers of the canary between two looks at percentiles, which take longer than counting.
  private static let answersBetweenLooks = 16

  private let rules: CanaryRules
  /// The window is the present half and the one before: the canary first, then the stable version.
  private var present = [Side(), Side()]
  private var former = [Side(), Side()]
  private var halfBegan: UInt64

  init(_ rules: CanaryRules, now: UInt64) {
    self.rules = rules
    halfBegan = now
  }

  /// Counts a request that ended; why the canary is to be taken back, when it is.
  ///
  /// - Parameters:
  ///   - nanoseconds: From admission to answer.
  ///   - now: Monotonic nanoseconds.
  mutating func record(
    isCanary: Bool, _ outcome: RequestOutcome, nanoseconds: UInt64, now: UInt64
  ) -> CanaryCause? {
    // Neither says anything about the version.
    guard outcome != .cancelled, outcome != .shuttingDown else { return nil }
    turn(now)
    let side = isCanary ? 0 : 1
    present[side].requests += 1
    if outcome == .ok {
      present[side].latency.record(nanoseconds: nanoseconds)
    } else {
      present[side].errors += 1
    }
    guard isCanary, present[0].requests + former[0].requests >= rules.requestsMinimum else {
      return nil
    }
    return outcome == .ok
      ? present[0].requests % Self.answersBetweenLooks == 0 ? judgeLatency() : nil
      : judgeErrors()
  }

  private func judgeErrors() -> CanaryCause? {
    let canary = Double(present[0].errors + former[0].errors)
      / Double(present[0].requests + former[0].requests)
    let requests = present[1].requests + former[1].requests
    let stable =
      requests > 0 ? Double(present[1].errors + former[1].errors) / Double(requests) : 0
    guard canary - stable > rules.errorRateMaximum else { return nil }
    return .errorRate(canary: canary, stable: stable)
  }

  private func judgeLatency() -> CanaryCause? {
    let (canary, stable) = (present[0].joined(former[0]), present[1].joined(former[1]))
    let least = UInt64(rules.requestsMinimum)
    guard canary.latency.total >= least, stable.latency.total >= least else { return nil }
    guard Double(canary.p99) > Double(stable.p99) * rules.latencyRatioMaximum else { return nil }
    return .latency(canary: Int(canary.p99 / 1000), stable: Int(stable.p99 / 1000))
  }

  /// Begins another half of the window when this one is over.
  private mutating func turn(_ now: UInt64) {
    let half = UInt64(rules.windowSeconds) * 500_000_000
    guard now > halfBegan, now - halfBegan >= half else { return }
    former = now - halfBegan < 2 * half ? present : [Side(), Side()]
    present = [Side(), Side()]
    halfBegan = now
  }
}

/// Watches a canary through the requests of both versions, and says once when it is to be taken
/// back.
final class CanaryGuard: Sendable {
  private let watch: Mutex<CanaryWatch?>
  private let revert: @Sendable (CanaryCause) -> Void

  init(_ rules: CanaryRules, revert: @escaping @Sendable (CanaryCause) -> Void) {
    watch = Mutex(CanaryWatch(rules, now: MonotonicClock.now()))
    self.revert = revert
  }

  func record(isCanary: Bool, _ outcome: RequestOutcome, nanoseconds: UInt64) {
    let now = MonotonicClock.now()
    let cause = watch.withLock { watch -> CanaryCause? in
      let cause = watch?.record(
        isCanary: isCanary, outcome, nanoseconds: nanoseconds, now: now)
      if cause != nil { watch = nil }
      return cause
    }
    if let cause { revert(cause) }
  }
}
