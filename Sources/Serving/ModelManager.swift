import Synchronization

/// Brings versions into service and takes them out, one at a time, on a thread of low priority.
package final class ModelManager: Sendable {
  package let ledger: MemoryLedger
  package let service: InferenceService
  /// Pays for connections, and for requests with large replies.
  package let requestMemory: MemoryPool
  let registry: ModelRegistry
  let versionLoader: VersionLoader
  let loaderThread: JobThreads

  package init(_ configuration: ServingConfiguration) {
    let limits = configuration.limits
    ledger = MemoryLedger(budget: configuration.budgetBytes)
    registry = ModelRegistry(
      limits: limits, threads: configuration.threads, sampler: configuration.sampler,
      onEvent: configuration.onEvent)
    requestMemory = MemoryPool(ledger, name: "requests", .connectionBuffers)
    service = InferenceService(registry, requestMemory)
    versionLoader = VersionLoader(configuration, ledger)
    loaderThread = JobThreads(
      name: "loader", threads: 1, stackBytes: limits.loaderStackBytes,
      niceness: limits.loaderNiceness)
    scrub()
  }

  /// Makes `model` known before any version of it is.
  ///
  /// - Parameters:
  ///   - policy: what clients are told of which versions serve; whoever loads them goes by it.
  ///   - labels: names for versions. Each points at its version from when that serves, and until then
  ///     at the one before.
  ///   - canary: a version that gets a share of the requests from when it serves; one that is named
  ///     again as it was goes on as it is, taken back or not.
  ///   - shadow: a version that a share of the requests is run on too.
  ///   - inputRules: what the numbers of requests must be.
  ///   - fallback: who answers requests that name no version when the model cannot.
  package func declare(
    _ model: String, policy: VersionPolicy = .latest(1), labels: [String: Int64] = [:],
    canary: Canary? = nil, shadow: Shadow? = nil, inputRules: InputRules = InputRules(),
    fallback: Fallback = Fallback()
  ) {
    registry.update(model) { entry in
      registry.declare(
        &entry,
        ModelEntry.Declaration(
          policy: policy, labels: labels, canary: canary, shadow: shadow,
          inputRules: inputRules, fallback: fallback))
      entry.settleLabels(stable: nil)
      entry.attachWatch()
    }
  }

  /// Brings a version into service, in place of those that serve its model now but for `kept`.
  ///
  /// import → plan → charge → prepare → prove → swap → drain. When old and new do not fit together
  /// but the new fits without those that leave, they are drained and unloaded first, and loaded
  /// again when the new fails. A version that serves already from the same path is left alone.
  /// - Parameter completion: called once, on the loader thread, or at once when the load is not
  ///   taken up.
  package func load(
    _ source: VersionSource, keeping kept: Set<Int64> = [],
    completion: @escaping @Sendable (Result<Void, LoadFailure>) -> Void
  ) {
    guard registry.accepts, loaderThread.waiting < registry.limits.loadQueueMaximum else {
      return completion(.failure(.shuttingDown))
    }
    registry.progress(source, .staged)
    loaderThread.submit { [self] in
      completion(Result { () throws(LoadFailure) in try bring(source, keeping: kept) })
    }
  }

  /// Puts all of `plans` into force at one moment, or none of them: first each version that does not
  /// serve yet is loaded and proven, then labels and versions change together.
  ///
  /// What leaves serves until then where the budget holds both, and otherwise is drained first and
  /// brought back when anything fails; requests for those models wait meanwhile.
  /// - Parameter completion: called once, on the loader thread, or at once when nothing was taken up.
  package func apply(
    _ plans: [ModelPlan], completion: @escaping @Sendable (Result<Void, PlanFailure>) -> Void
  ) {
    guard registry.accepts, loaderThread.waiting < registry.limits.loadQueueMaximum else {
      let first = plans.first?.versions.first
      return completion(
        .failure(
          PlanFailure(
            model: first?.model ?? "", version: first?.version ?? 0, cause: .shuttingDown)))
    }
    loaderThread.submit { [self] in
      completion(Result { () throws(PlanFailure) in try bring(plans) })
    }
  }

  /// Takes a version out of service; its memory goes with its last request.
  package func unload(model: String, version: Int64) {
    _ = registry.withdraw(model, only: version)
  }

  /// Takes every version of `model` out of service by somebody's wish: it is not missed until a
  /// version of it serves again.
  package func hold(_ model: String) {
    registry.update(model) { $0.isHeld = true }
    _ = registry.withdraw(model)
  }

  /// Waits for the loads that were asked for until now, at most so long.
  package func waitForLoads(milliseconds: Int) {
    let done = Semaphore()
    loaderThread.submit { done.post() }
    _ = done.wait(until: MonotonicClock.now() + UInt64(milliseconds) * 1_000_000)
  }

  /// Takes every version of `model` out of service and forgets the model; after the loads of it that
  /// are waiting.
  package func forget(_ model: String) {
    loaderThread.submit { [registry] in
      _ = registry.withdraw(model)
      _ = registry.state.withLock { $0.models.removeValue(forKey: model) }
    }
  }

  /// Points `label` at `version`, which must serve.
  package func setLabel(
    _ label: String, of model: String, to version: Int64
  ) throws(ServingError) {
    let result: Result<Void, ServingError> = registry.state.withLock { state in
      guard let entry = state.models[model] else {
        return .failure(.modelNotFound(model: model))
      }
      guard entry.serving[version] != nil else {
        return .failure(.versionNotFound(model: model, version: version))
      }
      state.models[model]?.labels[label] = version
      return .success(())
    }
    try result.get()
  }

  /// Refuses new requests, waits at most `drainMilliseconds` for those under way, and unloads
  /// everything.
  ///
  /// - Returns: whether everything ended in time.
  @discardableResult
  package func shutdown(drainMilliseconds: Int) -> Bool {
    let deadline = MonotonicClock.now() + UInt64(max(0, drainMilliseconds)) * 1_000_000
    registry.beginShutdown()
    let loaderEnded = loaderThread.shutdown(until: deadline)
    var waits: [Semaphore] = []
    for model in service.modelNames() {
      registry.release(parkedOf: model)
      waits += registry.withdraw(model).map(\.gone)
    }
    let drained = waits.allSatisfy { $0.wait(until: deadline) }
    return registry.threads.shutdown(until: deadline) && drained && loaderEnded
  }
}
