import Synchronization

extension ModelEntry {
  /// A canary that is under way, or was taken back.
  struct RunningCanary: Sendable {
    var canary: Canary
    var watch: CanaryGuard
    var reverted: CanaryCause?
  }

  /// The version that requests get that name none: the highest that is no shadow, unless some are
  /// for a canary.
  func usual(_ affinity: UInt64) -> LoadedVersion? {
    guard let running = canary, let tried = serving[running.canary.version] else {
      return highest.flatMap { serving[$0] }
    }
    guard let other = stableVersion(besides: running.canary.version) else { return tried }
    return running.reverted == nil && running.canary.takes(affinity) ? tried : serving[other]
  }

  /// The versions that `usual` would choose from, for one client or another, if `versions` served.
  func usualVersions(among versions: Set<Int64>) -> [Int64] {
    let open = versions.filter { $0 != shadow?.shadow.version }
    guard let running = canary, versions.contains(running.canary.version) else {
      return (open.max() ?? versions.max()).map { [$0] } ?? []
    }
    let tried = running.canary.version
    let labelled = labels[Self.stable].flatMap { $0 != tried && versions.contains($0) ? $0 : nil }
    guard let other = labelled ?? open.filter({ $0 != tried }).max() else { return [tried] }
    return running.reverted == nil ? [other, tried] : [other]
  }

  /// The version that a canary is compared with: the one labelled so, or the highest other.
  func stableVersion(besides canary: Int64) -> Int64? {
    if let labelled = labels[Self.stable], labelled != canary, serving[labelled] != nil {
      return labelled
    }
    return serving.keys.filter { $0 != canary && $0 != shadow?.shadow.version }.max()
  }

  /// The highest version that is no shadow, or the shadow when it is alone.
  private var highest: Int64? {
    serving.keys.filter { $0 != shadow?.shadow.version }.max() ?? serving.keys.max()
  }

  /// Where `stable` points when nobody says otherwise: not at a version that is still tried.
  var stableTarget: Int64? {
    canary.flatMap { stableVersion(besides: $0.canary.version) } ?? highest
  }

  /// Has the requests of the canary and of the version beside it counted, and no others.
  func attachWatch() {
    let running = canary.flatMap { $0.reverted == nil ? $0 : nil }
    let other = running.flatMap { stableVersion(besides: $0.canary.version) }
    for (version, loaded) in serving {
      if let running, version == running.canary.version || version == other {
        loaded.metrics.observe { [watch = running.watch] outcome, nanoseconds in
          watch.record(
            isCanary: version == running.canary.version, outcome, nanoseconds: nanoseconds)
        }
      } else {
        loaded.metrics.observe(nil)
      }
    }
  }
}

extension ModelRegistry {
  /// Begins a canary of `model`, or ends the one there is.
  func setCanary(_ model: String, _ canary: Canary?) {
    update(model) { entry in
      entry.canary = canary.map { running(model, $0) }
      entry.attachWatch()
    }
  }

  func running(_ model: String, _ canary: Canary) -> ModelEntry.RunningCanary {
    ModelEntry.RunningCanary(
      canary: canary,
      watch: CanaryGuard(canary.rules) { [weak self] cause in
        self?.revert(model, canary, cause)
      })
  }

  private func revert(_ model: String, _ canary: Canary, _ cause: CanaryCause) {
    let isReverted = state.withLock { state -> Bool in
      guard state.models[model]?.canary?.canary == canary,
        state.models[model]?.canary?.reverted == nil
      else { return false }
      state.models[model]?.canary?.reverted = cause
      state.models[model]?.attachWatch()
      return true
    }
    if isReverted {
      onEvent(.canaryReverted(model: model, version: canary.version, cause: cause))
    }
  }
}

extension ModelManager {
  /// Notes that the canary of `model` was taken back before, when it is still the same.
  package func markReverted(_ canary: Canary, of model: String, _ cause: CanaryCause) {
    guard registry.knows(model) else { return }
    registry.update(model) { entry in
      guard entry.canary?.canary == canary else { return }
      entry.canary?.reverted = cause
      entry.attachWatch()
    }
  }

  /// Runs a share of the requests for `model` that name no version on one that serves, too; nil for
  /// none.
  package func setShadow(_ shadow: Shadow?, of model: String) throws(ServingError) {
    if let shadow { try requireServing(model, shadow.version) }
    guard registry.knows(model) else { throw .modelNotFound(model: model) }
    registry.update(model) { entry in
      entry.shadow = shadow.map { RunningShadow($0) }
      entry.declaration.shadow = shadow
      entry.settleLabels(stable: entry.stableTarget)
    }
  }

  /// Sends a share of the requests for `model` that name no version to one that serves.
  package func setCanary(_ canary: Canary, of model: String) throws(ServingError) {
    try requireServing(model, canary.version)
    registry.setCanary(model, canary)
  }

  /// Sends no more requests to the canary of `model` than to any other version.
  package func endCanary(of model: String) {
    if registry.knows(model) { registry.setCanary(model, nil) }
  }

  /// Makes the canary of `model` its stable version, and gives its number; nil when there is none.
  package func promoteCanary(of model: String) -> Int64? {
    guard registry.knows(model) else { return nil }
    return registry.update(model) { entry in
      guard let version = entry.canary?.canary.version, entry.serving[version] != nil else {
        return nil
      }
      entry.labels[ModelEntry.stable] = version
      entry.canary = nil
      entry.attachWatch()
      return version
    }
  }

  private func requireServing(_ model: String, _ version: Int64) throws(ServingError) {
    guard registry.knows(model) else { throw .modelNotFound(model: model) }
    guard registry.update(model, { $0.serving[version] != nil }) else {
      throw .versionNotFound(model: model, version: version)
    }
  }
}
