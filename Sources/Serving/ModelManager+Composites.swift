import Synchronization

/// What is about to serve one model.
struct Arrival {
  var model: String
  /// Those that come.
  var added: [Int64: VersionDescription]
  /// Those that may serve on beside them.
  var kept: Set<Int64>
  /// What is declared of the model from then on; nil when that stays.
  var declaration: ModelEntry.Declaration?
}

/// A composite that the versions in service answer, and versions that arrive would not.
struct BrokenComposite {
  var name: String
  /// The first that it is made of and that brings a version.
  var arrival: Arrival
  var reason: String

  var failure: LoadFailure {
    .misfit(
      "The pipeline \"\(name)\" works with the versions that serve and would not with this one. "
        + reason)
  }
}

extension ModelManager {
  /// The first composite that works now and would not with what arrives; nil when there is none.
  func broken(by arrivals: [Arrival]) -> BrokenComposite? {
    let models = Set(arrivals.map(\.model))
    let entries = registry.composites.withLock { composites in
      composites.values.filter { !models.isDisjoint(with: $0.composite.members) }
    }
    for entry in entries.sorted(by: { $0.name < $1.name }) {
      let members = entry.composite.members
      let (present, future) = registry.answering(members, after: arrivals)
      guard let present, !future.isEmpty, entry.composite.misfit(present) == nil,
        let arrival = arrivals.first(where: { members.contains($0.model) && !$0.added.isEmpty })
          ?? arrivals.first(where: { members.contains($0.model) })
      else { continue }
      for descriptions in future {
        if let reason = entry.composite.misfit(descriptions) {
          return BrokenComposite(name: entry.name, arrival: arrival, reason: reason)
        }
      }
    }
    return nil
  }

  /// Refuses a version that would break a composite, where its source says so.
  func keepComposites(_ candidate: CandidateVersion, keeping kept: Set<Int64>) throws(LoadFailure) {
    let source = candidate.source
    guard source.keepsComposites else { return }
    let arrival = Arrival(
      model: source.model, added: [source.version: candidate.description], kept: kept)
    if let broken = broken(by: [arrival]) { throw broken.failure }
  }

  /// Refuses plans that would break a composite together.
  ///
  /// Before anything is loaded, for what is loaded may need the room of what serves; files are read
  /// for it only where composites have a part in it.
  func keepComposites(_ plans: [ModelPlan]) throws(PlanFailure) {
    let models = Set(plans.map(\.model))
    let members = registry.composites.withLock { composites in
      composites.values.flatMap { models.isDisjoint(with: $0.composite.members) ? [] : $0.composite.members }
    }
    guard !members.isEmpty else { return }
    var arrivals: [Arrival] = []
    for plan in plans where members.contains(plan.model) && registry.knows(plan.model) {
      var arrival = Arrival(
        model: plan.model, added: [:], kept: Set(plan.versions.map(\.version)),
        declaration: plan.declaration)
      for source in plan.versions where !registry.serves(source) {
        do throws(LoadFailure) {
          arrival.added[source.version] = try versionLoader.plan(source).description
        } catch {
          refuse(source, error)
          throw PlanFailure(model: source.model, version: source.version, cause: error)
        }
      }
      arrivals.append(arrival)
    }
    guard let broken = broken(by: arrivals) else { return }
    throw PlanFailure(
      model: broken.arrival.model,
      version: broken.arrival.added.keys.max() ?? broken.arrival.kept.max() ?? 0,
      cause: broken.failure)
  }
}

extension ModelRegistry {
  /// The versions that answer requests which name none: one of each model now, nil when one does not
  /// serve, and the combinations that may come up once `arrivals` serve, as `combinations` gives them.
  fileprivate func answering(
    _ models: [String], after arrivals: [Arrival]
  ) -> (present: [VersionDescription]?, future: [[VersionDescription]]) {
    let found = state.withLock { state -> ([VersionDescription], [[VersionDescription]])? in
      var present: [VersionDescription] = []
      var future: [[VersionDescription]] = []
      for model in models {
        guard var entry = state.models[model], let usual = entry.usual(0) else { return nil }
        present.append(usual.description)
        var next = [usual.description]
        if let arrival = arrivals.first(where: { $0.model == model }) {
          if let declaration = arrival.declaration { declare(&entry, declaration) }
          let served = entry.serving.filter { arrival.kept.contains($0.key) }.mapValues(\.description)
          let after = served.merging(arrival.added) { $1 }
          next = entry.usualVersions(among: Set(after.keys)).compactMap { after[$0] }
        } else if let tried = entry.canary, tried.reverted == nil {
          next = entry.usualVersions(among: Set(entry.serving.keys))
            .compactMap { entry.serving[$0]?.description }
        }
        future.append(next)
      }
      return (present, future)
    }
    guard let (present, future) = found else { return (nil, []) }
    return (present, Self.combinations(of: future, maximum: limits.combinationsMaximum))
  }

  /// All ways to take one element of each list; where there would be more than `maximum`, those in
  /// which all but one are the first of their list.
  static func combinations<Element>(of lists: [[Element]], maximum: Int) -> [[Element]] {
    guard lists.allSatisfy({ !$0.isEmpty }) else { return [] }
    var count = 1
    for list in lists where count <= maximum { count *= list.count }
    guard count > maximum else {
      return lists.reduce([[]]) { begun, next in
        begun.flatMap { begun in next.map { begun + [$0] } }
      }
    }
    let usual = lists.map { $0[0] }
    return [usual]
      + lists.indices.flatMap { place in
        lists[place].dropFirst().map { other in
          var combination = usual
          combination[place] = other
          return combination
        }
      }
  }
}
