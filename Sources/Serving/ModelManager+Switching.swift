/// The loader thread's work.
extension ModelManager {
  /// Brings `source` into service, by whichever policy the budget admits.
  func bring(_ source: VersionSource) throws(LoadFailure) {
    defer { registry.progress(source, nil) }
    guard registry.accepts else { throw .shuttingDown }
    if registry.serves(source) { return }
    registry.progress(source, .preparing)
    registry.onEvent(.preparing(model: source.model, version: source.version))
    do throws(LoadFailure) {
      let candidate = try gated(try versionLoader.plan(source))
      let charge: MemoryCharge
      do throws(MemoryRefusal) {
        charge = try ledger.charge(candidate.name, candidate.items)
      } catch {
        return try drainFirst(candidate, refusal: error)
      }
      try adopt(try prepare(candidate, charge), labels: nil)
    } catch {
      refuse(source, error)
      throw error
    }
  }

  private func prepare(
    _ candidate: CandidateVersion, _ charge: MemoryCharge
  ) throws(LoadFailure) -> PreparedVersion {
    registry.progress(candidate.source, .preparing)
    let preparing = try versionLoader.prepare(candidate, charge)
    registry.progress(candidate.source, .proving)
    return try versionLoader.prove(preparing, candidate)
  }

  /// Swaps the pointer; whatever served before drains.
  ///
  /// - Parameter labels: the labels to restore; nil moves `stable` to this version.
  private func adopt(
    _ prepared: PreparedVersion, labels: [String: Int64]?
  ) throws(LoadFailure) {
    let source = prepared.source
    let loaded = LoadedVersion(
      id: registry.makeID(), prepared: prepared, limits: registry.limits,
      onUnload: { [weak registry] id in registry?.unloaded(id, model: source.model) })
    guard registry.swap(in: loaded, labels: labels) else { throw .shuttingDown }
    registry.onEvent(
      .serving(
        model: source.model, version: source.version,
        medianMicroseconds: prepared.medianMicroseconds, memory: prepared.memory))
  }

  private func refuse(_ source: VersionSource, _ cause: LoadFailure) {
    guard cause != .shuttingDown else { return }
    registry.refuse(source, cause)
    registry.onEvent(.refused(model: source.model, version: source.version, cause: cause))
  }

  /// Unloads what serves, then brings `candidate`; requests wait meanwhile.
  private func drainFirst(
    _ candidate: CandidateVersion, refusal: MemoryRefusal
  ) throws(LoadFailure) {
    let source = candidate.source
    let room = registry.reclaimableBytes(of: source.model)
    let overBudget = LoadFailure.overBudget(
      needed: refusal.needed, available: refusal.available + room, budget: refusal.budget)
    guard room > 0, refusal.available + room >= refusal.needed else { throw overBudget }

    defer { registry.release(parkedOf: source.model) }
    let labels = registry.beginSwitch(source.model)
    let leaving = registry.withdraw(source.model, only: nil)
    for old in leaving {
      registry.onEvent(
        .drainFirst(
          model: source.model, version: source.version, leaving: old.source.version))
    }
    // What drained before this switch counts as room too, so that it is waited for alike.
    guard waitUntilGone(registry.draining(of: source.model)) else {
      restore(leaving, labels)
      throw registry.accepts
        ? .drainTimedOut(milliseconds: registry.limits.drainMilliseconds) : .shuttingDown
    }
    do throws(LoadFailure) {
      let charge: MemoryCharge
      do throws(MemoryRefusal) {
        charge = try ledger.charge(candidate.name, candidate.items)
      } catch {
        throw .overBudget(needed: error.needed, available: error.available, budget: error.budget)
      }
      try adopt(try prepare(candidate, charge), labels: nil)
    } catch {
      restore(leaving, labels)
      throw error
    }
  }

  /// Whether all of `versions` were unloaded before the drain limit, or a shutdown.
  private func waitUntilGone(_ versions: [Semaphore]) -> Bool {
    let deadline =
      MonotonicClock.now() + UInt64(registry.limits.drainMilliseconds) * 1_000_000
    for gone in versions {
      while !gone.wait(milliseconds: registry.limits.shutdownPollMilliseconds) {
        guard registry.accepts, MonotonicClock.now() < deadline else { return false }
      }
      // For whoever asks again.
      gone.post()
    }
    return true
  }

  /// Puts `leaving` back into service: as they are when they are still in memory, from their files
  /// otherwise.
  private func restore(_ leaving: [LeavingVersion], _ labels: [String: Int64]) {
    for old in leaving {
      let source = old.source
      if let loaded = old.loaded, registry.swap(in: loaded, labels: labels) {
        registry.onEvent(.restored(model: source.model, version: source.version))
        continue
      }
      do throws(LoadFailure) {
        let candidate = try versionLoader.plan(source)
        let charge: MemoryCharge
        do throws(MemoryRefusal) {
          charge = try ledger.charge(candidate.name, candidate.items)
        } catch {
          throw .overBudget(
            needed: error.needed, available: error.available, budget: error.budget)
        }
        try adopt(try prepare(candidate, charge), labels: labels)
        registry.onEvent(.restored(model: source.model, version: source.version))
      } catch {
        registry.refuse(source, error)
        registry.onEvent(
          .lost(model: source.model, version: source.version, cause: error))
      }
    }
  }
}
