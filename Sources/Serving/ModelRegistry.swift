import Synchronization

/// The models of the agent and their versions, under one lock that is never held while anything
/// runs.
///
/// References to loaded versions leave the lock before they are dropped: the end of one takes the
/// lock again.
final class ModelRegistry: Sendable {
  struct State {
    var models: [String: ModelEntry] = [:]
    var isShuttingDown = false
    var nextID: UInt64 = 0
  }

  let state = Mutex(State())
  /// Names that models answer in turn.
  let composites = Mutex<[String: CompositeEntry]>([:])
  /// Requests that found no version.
  let unresolved = Mutex<[RequestOutcome: UInt64]>([:])
  let limits: ServingLimits
  let threads: ServingThreads
  let onEvent: @Sendable (ServingEvent) -> Void
  let sampler: RequestSampler?

  init(
    limits: ServingLimits, threads: Int, sampler: RequestSampler?,
    onEvent: @escaping @Sendable (ServingEvent) -> Void
  ) {
    self.sampler = sampler
    self.limits = limits
    self.onEvent = onEvent
    self.threads = ServingThreads(compute: threads, limits)
  }

  /// Runs `body` on the entry of `model`, which is made when it is missing.
  func update<R: Sendable>(_ model: String, _ body: (inout ModelEntry) -> sending R) -> R {
    state.withLock { state in body(&state.models[model, default: ModelEntry(model: model)]) }
  }

  func knows(_ model: String) -> Bool { state.withLock { $0.models[model] != nil } }

  func makeID() -> UInt64 {
    state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
  }

  func countUnresolved(_ error: ServingError) {
    unresolved.withLock { $0[RequestOutcome(error), default: 0] += 1 }
  }

  /// Turns the record of a drained version into one of history.
  func unloaded(_ id: UInt64, model: String) {
    let version: Int64? = state.withLock { state in
      guard let index = state.models[model]?.draining.firstIndex(where: { $0.id == id }),
        let record = state.models[model]?.draining.remove(at: index)
      else { return nil }
      var status = VersionStatus(model: model, version: record.version, state: .retired)
      record.metrics.fill(&status)
      state.models[model]?.remember(status, maximum: limits.historyMaximum)
      return record.version
    }
    if let version { onEvent(.retired(model: model, version: version)) }
  }
}
