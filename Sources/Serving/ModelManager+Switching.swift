/// The loader thread's work.
extension ModelManager {
  /// Brings `source` into service beside `kept`, in whichever order the budget admits.
  func bring(_ source: VersionSource, keeping kept: Set<Int64>) throws(LoadFailure) {
    defer { registry.progress(source, nil) }
    guard registry.accepts else { throw .shuttingDown }
    if registry.serves(source) { return }
    registry.progress(source, .preparing)
    registry.onEvent(.preparing(model: source.model, version: source.version))
    do throws(LoadFailure) {
      let candidate = try gated(try versionLoader.plan(source))
      try keepComposites(candidate, keeping: kept)
      let charge: MemoryCharge
      do throws(MemoryRefusal) {
        charge = try ledger.charge(candidate.name, candidate.items)
      } catch {
        return try drainFirst(candidate, keeping: kept, refusal: error)
      }
      try adopt(try prepare(candidate, charge), keeping: kept)
    } catch {
      refuse(source, error)
      throw error
    }
  }

  func charge(_ candidate: CandidateVersion) throws(LoadFailure) -> MemoryCharge {
    do throws(MemoryRefusal) {
      return try ledger.charge(candidate.name, candidate.items)
    } catch {
      throw .overBudget(needed: error.needed, available: error.available, budget: error.budget)
    }
  }

  private func prepare(
    _ candidate: CandidateVersion, _ charge: MemoryCharge
  ) throws(LoadFailure) -> PreparedVersion {
    registry.progress(candidate.source, .preparing)
    let preparing = try versionLoader.prepare(candidate, charge)
    registry.progress(candidate.source, .proving)
    return try versionLoader.prove(preparing, candidate) { [registry] in registry.accepts }
  }

  /// Swaps the pointer; whatever served before drains, but for `kept`.
  ///
  /// - Parameter labels: the labels to restore; nil when they follow from what serves.
  private func adopt(
    _ prepared: PreparedVersion, keeping kept: Set<Int64>, labels: [String: Int64]? = nil
  ) throws(LoadFailure) {
    let loaded = makeLoaded(prepared)
    let change = ModelChange(
      model: prepared.source.model, added: [loaded], kept: kept, labels: labels)
    guard registry.commit([change]) else { throw .shuttingDown }
    announce(loaded)
  }

  func makeLoaded(_ prepared: PreparedVersion) -> LoadedVersion {
    let (source, model) = (prepared.source, prepared.source.model)
    return LoadedVersion(
      id: registry.makeID(), prepared: prepared, limits: registry.limits,
      sampler: registry.sampler,
      onDamage: { [weak self] id in self?.replaceDamaged(id, source) },
      onUnload: { [weak registry] id in registry?.unloaded(id, model: model) })
  }

  /// Loads a version again whose weights can no longer be read from their file, which is made anew.
  private func replaceDamaged(_ id: UInt64, _ source: VersionSource) {
    registry.onEvent(.weightsDamaged(model: source.model, version: source.version))
    loaderThread.submit { [self] in
      guard let kept = registry.neighbours(of: id, source) else { return }
      do throws(LoadFailure) {
        try bring(source, keeping: kept)
      } catch {
        // Nobody is answered by it: better the one before it, or nobody.
        _ = registry.withdraw(source.model, only: source.version)
        registry.onEvent(.lost(model: source.model, version: source.version, cause: error))
      }
    }
  }

  /// Checks what serves from files, and again after a while.
  func scrub() {
    loaderThread.submit(afterMilliseconds: registry.limits.scrubMilliseconds) { [weak self] in
      guard let self else { return }
      for loaded in registry.servingVersions { loaded.scrub() }
      scrub()
    }
  }

  func announce(_ loaded: LoadedVersion) {
    registry.onEvent(
      .serving(
        model: loaded.source.model, version: loaded.source.version,
        medianMicroseconds: loaded.medianMicroseconds, memory: loaded.memory))
  }

  func refuse(_ source: VersionSource, _ cause: LoadFailure) {
    guard cause != .shuttingDown else { return }
    registry.refuse(source, cause)
    registry.onEvent(.refused(model: source.model, version: source.version, cause: cause))
  }

  /// Unloads what serves but for `kept`, then brings `candidate`; requests wait meanwhile.
  private func drainFirst(
    _ candidate: CandidateVersion, keeping kept: Set<Int64>, refusal: MemoryRefusal
  ) throws(LoadFailure) {
    let source = candidate.source
    let room = registry.reclaimableBytes(of: source.model, except: kept)
    let overBudget = LoadFailure.overBudget(
      needed: refusal.needed, available: refusal.available + room, budget: refusal.budget)
    guard room > 0, refusal.available + room >= refusal.needed else { throw overBudget }

    defer { registry.release(parkedOf: source.model) }
    let labels = registry.beginSwitch(source.model)
    let leaving = registry.withdraw(source.model, except: kept)
    for old in leaving {
      registry.onEvent(
        .drainFirst(
          model: source.model, version: source.version, leaving: old.source.version))
    }
    // What drained before this switch counts as room too, so that it is waited for alike.
    guard waitUntilGone(registry.draining(of: source.model)) else {
      restore(leaving, keeping: kept, labels)
      throw registry.accepts
        ? .drainTimedOut(milliseconds: registry.limits.drainMilliseconds) : .shuttingDown
    }
    do throws(LoadFailure) {
      try adopt(try prepare(candidate, try charge(candidate)), keeping: kept)
    } catch {
      restore(leaving, keeping: kept, labels)
      throw error
    }
  }

  /// Whether all of `versions` were unloaded before the drain limit, or a shutdown.
  func waitUntilGone(_ versions: [Semaphore]) -> Bool {
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

  /// Puts `leaving` back into service beside `kept`: as they are when they are still in memory, from
  /// their files otherwise.
  func restore(
    _ leaving: [LeavingVersion], keeping kept: Set<Int64>, _ labels: [String: Int64]
  ) {
    var kept = kept
    for old in leaving {
      let source = old.source
      defer { kept.insert(source.version) }
      if let loaded = old.loaded {
        let change = ModelChange(
          model: source.model, added: [loaded], kept: kept, labels: labels)
        if registry.commit([change]) {
          registry.onEvent(.restored(model: source.model, version: source.version))
          continue
        }
      }
      do throws(LoadFailure) {
        let candidate = try versionLoader.plan(source)
        try adopt(
          try prepare(candidate, try charge(candidate)), keeping: kept, labels: labels)
        registry.onEvent(.restored(model: source.model, version: source.version))
      } catch {
        registry.refuse(source, error)
        registry.onEvent(
          .lost(model: source.model, version: source.version, cause: error))
      }
    }
  }
}
