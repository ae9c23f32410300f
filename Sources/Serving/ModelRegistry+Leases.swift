import Synchronization

extension ModelRegistry {
  private enum Answer: Sendable {
    case now(Result<VersionLease, ServingError>)
    case parked(first: Bool)
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
      let expires = MonotonicClock.now() + UInt64(limits.parkedMilliseconds) * 1_000_000
      state.models[model]?.parked.append(
        ModelEntry.Parked(
          selector: selector, affinity: terms.affinity, expires: expires, completion: completion))
      return .parked(first: entry.parked.isEmpty)
    }
    switch answer {
    case .now(let result): completion(result)
    case .parked(let first):
      if first { watchParked(model, milliseconds: limits.parkedMilliseconds) }
    }
  }

  /// Ends a switch: everything parked gets the version that serves now, on the compute threads.
  func release(parkedOf model: String) {
    typealias Released = (parked: ModelEntry.Parked, result: Result<VersionLease, ServingError>)
    let released = state.withLock { state -> [Released] in
      guard var entry = state.models[model] else { return [] }
      entry.isSwitching = false
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

  private func watchParked(_ model: String, milliseconds: Int) {
    threads.timer.submit(afterMilliseconds: milliseconds) { [weak self] in self?.expireParked(model) }
  }

  private func expireParked(_ model: String) {
    let now = MonotonicClock.now()
    let (expired, next) = state.withLock { state -> ([ModelEntry.Parked], UInt64?) in
      var expired: [ModelEntry.Parked] = []
      while let first = state.models[model]?.parked.first, first.expires <= now {
        _ = state.models[model]?.parked.popFirst()
        expired.append(first)
      }
      return (expired, state.models[model]?.parked.first?.expires)
    }
    if let next { watchParked(model, milliseconds: Int((next - now) / 1_000_000) + 1) }
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
