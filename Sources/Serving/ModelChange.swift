import Synchronization

/// A change of what one model serves, made at once.
struct ModelChange: Sendable {
  var model: String
  var added: [LoadedVersion] = []
  /// Versions that serve on beside those added; all others drain.
  var kept: Set<Int64> = []
  /// The labels to restore; nil when they follow from what serves.
  var labels: [String: Int64]?
  /// What is declared of the model from now on; nil when that stays.
  var declaration: ModelEntry.Declaration?
}

extension ModelRegistry {
  /// Makes all of `changes`, or none.
  ///
  /// - Returns: false when the agent is shutting down and nothing was changed.
  func commit(_ changes: [ModelChange]) -> Bool {
    // Dropped after the lock: the end of the last reference takes it again.
    let former: [LoadedVersion]? = state.withLock { state in
      guard !state.isShuttingDown else { return nil }
      var former: [LoadedVersion] = []
      for change in changes {
        var entry = state.models[change.model] ?? ModelEntry(model: change.model)
        if let declaration = change.declaration { declare(&entry, declaration) }
        former += entry.make(change)
        state.models[change.model] = entry
      }
      return former
    }
    return former != nil
  }
}

extension ModelRegistry {
  /// Notes what the owner of a model says; a canary that he names as before goes on as it is.
  func declare(_ entry: inout ModelEntry, _ declaration: ModelEntry.Declaration) {
    if declaration.canary != entry.declaration.canary {
      entry.canary = declaration.canary.map { running(entry.model, $0) }
    }
    if declaration.shadow != entry.declaration.shadow {
      entry.shadow = declaration.shadow.map { RunningShadow($0) }
    }
    entry.declaration = declaration
  }
}

extension ModelEntry {
  /// What the owner of a model says about it.
  struct Declaration: Sendable, Equatable {
    var policy = VersionPolicy.latest(1)
    var labels: [String: Int64] = [:]
    var canary: Canary?
    var shadow: Shadow?
    var inputRules = InputRules()
    var fallback = Fallback()
  }

  /// Makes `change`, and gives the versions that drain from now on.
  mutating func make(_ change: ModelChange) -> [LoadedVersion] {
    let added = Dictionary(
      change.added.map { ($0.description.version, $0) }, uniquingKeysWith: { $1 })
    let former = serving.filter { added[$0.key] != nil || !change.kept.contains($0.key) }
    drain(Array(former.values))
    for version in former.keys { serving[version] = nil }
    for (version, loaded) in added {
      draining.removeAll { $0.id == loaded.id }
      serving[version] = loaded
      loading[version] = nil
      history.removeAll { $0.version == version }
    }
    if !added.isEmpty { isHeld = false }
    if let labels = change.labels {
      self.labels = labels.filter { serving[$0.value] != nil }
    } else {
      let isStableGone = self.labels[Self.stable].map { serving[$0] == nil } ?? false
      settleLabels(stable: added.isEmpty && !isStableGone ? nil : stableTarget)
    }
    attachWatch()
    return Array(former.values)
  }

  /// Points each declared label at its version where that serves, and lets go of those that point
  /// at nothing.
  ///
  /// - Parameter stable: where `stable` is to point unless it is declared; nil to leave it.
  mutating func settleLabels(stable: Int64?) {
    if let stable { labels[Self.stable] = stable }
    for (label, version) in declaration.labels where serving[version] != nil {
      labels[label] = version
    }
    labels = labels.filter { serving[$0.value] != nil }
  }
}
