import Synchronization

extension ModelRegistry {
  private enum Answer: Sendable {
    case now(Result<VersionLease, ServingError>)
    /// The time, where somebody must look when it has come.
    case parked(watch: UInt64?)
  }

  /// Answers at once, or parks the request while a drain-first switch is under way.
  func lease(
    _ model: String, _ selector: VersionSelector, _ terms: RequestTerms,
    _ completion: @escaping @Sendable (Result<VersionLease, ServingError>) -> Void
  ) {
    let answer: Answer = state.withLock { state in
      guard !state.isShuttingDown else { return .now(.failure(.shuttingDown)) }
      guard let entry = state.models[model] else {
        return .now(.failure(.modelNotFound(model: model)))
      }
      if !entry.isSwitching || entry.serves(selector) {
        return .now(Self.resolve(entry, selector, terms.affinity))
      }
      guard entry.parked.count < limits.parkedRequestsMaximum else {
        return .now(
          .failure(
            .queueFull(
              model: model, limit: limits.parkedRequestsMaximum, retryMilliseconds: 1000)))
      }
      let longest = MonotonicClock.now() + UInt64(limits.parkedMilliseconds) * 1_000_000
      let expires = min(longest, limits.boundWait(terms).deadline ?? longest)
      state.models[model]?.parked.append(
        ModelEntry.Parked(
          selector: selector, affinity: terms.affinity, expires: expires, completion: completion))
      guard expires < entry.parkedWatch ?? .max else { return .parked(watch: nil) }
      state.models[model]?.parkedWatch = expires
      return .parked(watch: expires)
    }
    switch answer {
    case .now(let result): completion(result)
    case .parked(let watch):
      if let watch { watchParked(model, at: watch) }
    }
  }

  /// Ends a switch: everything parked gets the version that serves now, on the compute threads.
  func release(parkedOf model: String) {
    typealias Released = (parked: ModelEntry.Parked, result: Result<VersionLease, ServingError>)
    let released = state.withLock { state -> [Released] in
      guard var entry = state.models[model] else { return [] }
      entry.isSwitching = false
      entry.parkedWatch = nil
      var released: [Released] = []
      while let parked = entry.parked.popFirst() {
        let result =
          state.isShuttingDown
          ? .failure(.shuttingDown) : Self.resolve(entry, parked.selector, parked.affinity)
        released.append((parked, result))
      }
      state.models[model] = entry
      return released
    }
    for (parked, result) in released { threads.compute.submit { parked.completion(result) } }
  }

  /// - Parameter time: monotonic nanoseconds.
  private func watchParked(_ model: String, at time: UInt64) {
    let now = MonotonicClock.now()
    let milliseconds = time > now ? Int((time - now) / 1_000_000) + 1 : 0
    threads.timer.submit(afterMilliseconds: milliseconds) { [weak self] in
      self?.expireParked(model, watch: time)
    }
  }

  private func expireParked(_ model: String, watch: UInt64) {
    let now = MonotonicClock.now()
    let (expired, next) = state.withLock { state -> ([ModelEntry.Parked], UInt64?) in
      // Somebody else looks where this is no longer the time.
      guard var entry = state.models[model], entry.parkedWatch == watch else { return ([], nil) }
      var next: UInt64?
      let expired = entry.parked.remove { parked in
        if parked.expires <= now { return true }
        next = min(next ?? .max, parked.expires)
        return false
      }
      entry.parkedWatch = next
      state.models[model] = entry
      return (expired, next)
    }
    if let next { watchParked(model, at: next) }
    for parked in expired { parked.completion(.failure(.deadlineExceeded)) }
  }

  static func resolve(
    _ entry: ModelEntry, _ selector: VersionSelector, _ affinity: UInt64
  ) -> Result<VersionLease, ServingError> {
    do throws(ServingError) {
      let loaded = try entry.resolve(selector, affinity: affinity)
      guard selector == .latest else {
        return .success(VersionLease(loaded, entry.declaration.inputRules))
      }
      return .success(
        VersionLease(
          loaded, entry.declaration.inputRules, entry.declaration.fallback,
          shadow: entry.shadowTarget(besides: loaded)))
    } catch {
      return .failure(error)
    }
  }
}

extension ModelRegistry {
  /// A version of the first of `models` that serves, for requests that were meant for another.
  ///
  /// - Parameter description: of the model that was asked for, whose requests it must take; nil when
  ///   nothing of it is known, and requests will be read for the one that steps in.
  func standIn(
    _ models: some Sequence<String>, for description: VersionDescription?
  ) -> VersionLease? {
    state.withLock { state in
      for model in models {
        guard let entry = state.models[model], !entry.isSwitching,
          let loaded = entry.usual(0), description.map(loaded.description.standsIn) ?? true
        else { continue }
        return VersionLease(loaded, entry.declaration.inputRules, isStandIn: true)
      }
      return nil
    }
  }

  /// Who steps in for a model that does not serve.
  func fallback(of model: String) -> Fallback {
    state.withLock { $0.models[model]?.declaration.fallback } ?? Fallback()
  }
}

extension ModelEntry {
  /// Whether a switch under way leaves the version that is asked for by number or label alone.
  fileprivate func serves(_ selector: VersionSelector) -> Bool {
    switch selector {
    case .latest: false
    case .version(let version): serving[version] != nil
    case .label(let label): labels[label].map { serving[$0] != nil } ?? false
    }
  }
}
