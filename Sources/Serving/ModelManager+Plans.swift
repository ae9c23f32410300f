/// Versions of one model that were taken out of service to make room for what a plan brings.
private struct Cleared {
  var model: String
  var leaving: [LeavingVersion]
  /// Versions that serve on meanwhile.
  var kept: Set<Int64>
  var labels: [String: Int64]
}

/// A version of a plan that cannot be brought into service.
private struct RefusedVersion: Error {
  var source: VersionSource
  var cause: LoadFailure
}

/// The loader thread's work on plans: all of it comes into force, or nothing has changed.
extension ModelManager {
  /// Loads what `plans` lack and changes over when all of it is proven: beside what serves, or, when
  /// the budget does not hold both, with what leaves drained first, brought back when anything
  /// fails; requests wait meanwhile.
  func bring(_ plans: [ModelPlan]) throws(PlanFailure) {
    var begun: [VersionSource] = []
    defer { for source in begun { registry.progress(source, nil) } }
    try keepComposites(plans)
    var cleared: [Cleared] = []
    defer { for one in cleared { registry.release(parkedOf: one.model) } }
    do throws(PlanFailure) {
      let changes = try changes(plans, &begun, &cleared)
      guard registry.commit(changes) else {
        throw PlanFailure(model: plans.first?.model ?? "", version: 0, cause: .shuttingDown)
      }
      for loaded in changes.flatMap(\.added) { announce(loaded) }
    } catch {
      // What was loaded is gone by now, so that there is room for what was there.
      for one in cleared { restore(one.leaving, keeping: one.kept, one.labels) }
      throw error
    }
  }

  private func changes(
    _ plans: [ModelPlan], _ begun: inout [VersionSource], _ cleared: inout [Cleared]
  ) throws(PlanFailure) -> [ModelChange] {
    var changes: [ModelChange] = []
    for plan in plans {
      let isNew = !registry.knows(plan.model)
      var change = ModelChange(
        model: plan.model, kept: Set(plan.versions.map(\.version)), declaration: plan.declaration)
      for source in plan.versions where isNew || !registry.serves(source) {
        // What is shown makes a model known.
        if !isNew { begun.append(source) }
        do throws(RefusedVersion) {
          change.added.append(try make(source, isShown: !isNew, plans, &cleared))
        } catch {
          let (source, cause) = (error.source, error.cause)
          if registry.knows(source.model) { refuse(source, cause) }
          throw PlanFailure(model: source.model, version: source.version, cause: cause)
        }
      }
      changes.append(change)
    }
    return changes
  }

  /// A version that is proven and serves nobody yet.
  private func make(
    _ source: VersionSource, isShown: Bool, _ plans: [ModelPlan], _ cleared: inout [Cleared]
  ) throws(RefusedVersion) -> LoadedVersion {
    let candidate = try blaming(source) { () throws(LoadFailure) in
      guard registry.accepts else { throw .shuttingDown }
      if isShown { registry.progress(source, .preparing) }
      registry.onEvent(.preparing(model: source.model, version: source.version))
      return try gated(try versionLoader.plan(source))
    }
    let charge: MemoryCharge
    do throws(MemoryRefusal) {
      charge = try ledger.charge(candidate.name, candidate.items)
    } catch {
      try clear(plans, for: candidate, refusal: error, &cleared)
      charge = try blaming(source) { () throws(LoadFailure) in try self.charge(candidate) }
    }
    return try blaming(source) { () throws(LoadFailure) in
      let preparing = try versionLoader.prepare(candidate, charge)
      if isShown { registry.progress(source, .proving) }
      return makeLoaded(
        try versionLoader.prove(preparing, candidate) { [registry] in registry.accepts })
    }
  }

  private func blaming<Value>(
    _ source: VersionSource, _ body: () throws(LoadFailure) -> Value
  ) throws(RefusedVersion) -> Value {
    do throws(LoadFailure) {
      return try body()
    } catch {
      throw RefusedVersion(source: source, cause: error)
    }
  }

  /// Throws for the first that does not fit of `candidate` and of what `plans` bring behind it, when
  /// `available` bytes are there for all of them.
  private func checkRoom(
    _ plans: [ModelPlan], from candidate: CandidateVersion, available: Int, budget: Int
  ) throws(RefusedVersion) {
    var available = available
    func take(_ next: CandidateVersion) throws(RefusedVersion) {
      guard next.peakBytes <= available else {
        throw RefusedVersion(
          source: next.source,
          cause: .overBudget(needed: next.peakBytes, available: available, budget: budget))
      }
      available -= next.memory.totalBytes
    }
    try take(candidate)
    let sources = plans.flatMap(\.versions)
    let place = sources.firstIndex {
      $0.model == candidate.source.model && $0.version == candidate.source.version
    }
    for source in sources.dropFirst((place ?? 0) + 1)
    where !registry.knows(source.model) || !registry.serves(source) {
      try take(
        try blaming(source) { () throws(LoadFailure) in try versionLoader.plan(source) })
    }
  }

  /// Drains and unloads what `plans` let go, once, when all that is still to come fits then.
  private func clear(
    _ plans: [ModelPlan], for candidate: CandidateVersion, refusal: MemoryRefusal,
    _ cleared: inout [Cleared]
  ) throws(RefusedVersion) {
    let known = plans.filter { registry.knows($0.model) }
    let kept = known.map { plan in
      Set(plan.versions.filter { registry.serves($0) }.map(\.version))
    }
    let room = zip(known, kept).reduce(0) { sum, one in
      sum + registry.reclaimableBytes(of: one.0.model, except: one.1)
    }
    guard cleared.isEmpty, room > 0 else {
      throw RefusedVersion(
        source: candidate.source,
        cause: .overBudget(
          needed: refusal.needed, available: refusal.available + room, budget: refusal.budget))
    }
    try checkRoom(
      plans, from: candidate, available: refusal.available + room, budget: refusal.budget)
    // Requests for a model that loses nothing go on as they are.
    for (plan, kept) in zip(known, kept) where registry.serves(plan.model, besides: kept) {
      let labels = registry.beginSwitch(plan.model)
      let leaving = registry.withdraw(plan.model, except: kept)
      cleared.append(Cleared(model: plan.model, leaving: leaving, kept: kept, labels: labels))
      for old in leaving {
        registry.onEvent(
          .drainFirst(
            model: plan.model, version: plan.versions.map(\.version).max() ?? 0,
            leaving: old.source.version))
      }
    }
    guard waitUntilGone(known.flatMap { registry.draining(of: $0.model) }) else {
      throw RefusedVersion(
        source: candidate.source,
        cause: registry.accepts
          ? .drainTimedOut(milliseconds: registry.limits.drainMilliseconds) : .shuttingDown)
    }
  }
}

extension ModelPlan {
  var declaration: ModelEntry.Declaration {
    .init(
      policy: policy, labels: labels, canary: canary, shadow: shadow, inputRules: inputRules,
      fallback: fallback)
  }
}
