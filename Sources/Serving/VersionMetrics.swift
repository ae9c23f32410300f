import Synchronization

/// The counters of one loaded version; outlives its memory, so that nothing is lost at the end of a
/// drain.
final class VersionMetrics: Sendable {
  private struct State {
    var outcomes: [RequestOutcome: UInt64] = [:]
    var latency = LatencyHistogram()
    var stages = [DurationHistogram](
      repeating: DurationHistogram(), count: RequestStage.allCases.count)
    var rows: UInt64 = 0
    /// Milliseconds since 1970 of the last answer; 0 before the first.
    var lastAnswer: Int64 = 0
    var cacheHits: UInt64 = 0
    var cacheMisses: UInt64 = 0
    var observer: Observer?
    /// Runs by their rows.
    var runs: [Int: RunCount] = [:]
  }

  /// Told how a request ended, and how long it took in nanoseconds.
  typealias Observer = @Sendable (RequestOutcome, UInt64) -> Void

  private let state = Mutex(State())

  /// Counts a request that ended; the time of failed ones does not count.
  func record(_ outcome: RequestOutcome, nanoseconds: UInt64) {
    let observer = state.withLock { state in
      state.outcomes[outcome, default: 0] += 1
      if outcome == .ok { state.latency.record(nanoseconds: nanoseconds) }
      return state.observer
    }
    observer?(outcome, nanoseconds)
  }

  /// Counts a request that was looked for among the kept answers.
  func recordLookup(isHit: Bool) {
    state.withLock { state in
      if isHit { state.cacheHits += 1 } else { state.cacheMisses += 1 }
    }
  }

  /// Has somebody told of each request from now on; nil for nobody.
  func observe(_ observer: Observer?) { state.withLock { $0.observer = observer } }

  /// Counts the parts of an answered request.
  func record(rows: Int, queueNanoseconds: UInt64, inferNanoseconds: UInt64) {
    state.withLock { state in
      state.stages[0].record(nanoseconds: queueNanoseconds)
      state.stages[1].record(nanoseconds: inferNanoseconds)
      state.rows += UInt64(rows)
      state.lastAnswer = WallClock.milliseconds()
    }
  }

  /// Counts a run of the model.
  func record(_ run: InstanceSlot.Run) {
    state.withLock { state in
      state.runs[run.rows, default: RunCount()].count += 1
      state.runs[run.rows, default: RunCount()].nanoseconds += run.nanoseconds
    }
  }

  /// Fills the counters of `status`.
  func fill(_ status: inout VersionStatus) {
    let state = state.withLock { $0 }
    status.outcomes = state.outcomes
    status.stages = Dictionary(
      zip(RequestStage.allCases, state.stages), uniquingKeysWith: { first, _ in first })
    status.latency = state.latency
    status.runs = state.runs
    status.cacheHits = state.cacheHits
    status.cacheMisses = state.cacheMisses
    status.rows = state.rows
    status.lastAnswerMilliseconds = state.lastAnswer
    status.requests = state.outcomes.values.reduce(0, +)
    // A client that leaves is none of the version's failures.
    status.errors =
      status.requests - (state.outcomes[.ok] ?? 0) - (state.outcomes[.cancelled] ?? 0)
    status.latencyMicroseconds = LatencyQuantiles(
      p50: Self.microseconds(state.latency.quantile(0.50)),
      p95: Self.microseconds(state.latency.quantile(0.95)),
      p99: Self.microseconds(state.latency.quantile(0.99)))
  }

  /// Rounded up, so that a request that took time never shows as 0.
  private static func microseconds(_ nanoseconds: UInt64) -> Int { Int((nanoseconds + 999) / 1000) }
}
