import Synchronization

/// A version that was taken out of service.
struct LeavingVersion: Sendable {
  let source: VersionSource
  /// Posted when its memory is gone.
  let gone: Semaphore
  private let reference: WeakReference

  init(_ loaded: LoadedVersion) {
    source = loaded.source
    gone = loaded.gone
    reference = WeakReference(loaded)
  }

  /// The version itself, while somebody still holds it.
  var loaded: LoadedVersion? { reference.loaded }

  private final class WeakReference: Sendable {
    private struct Content { weak var loaded: LoadedVersion? }
    private let content: Mutex<Content>

    init(_ loaded: LoadedVersion) { content = Mutex(Content(loaded: loaded)) }

    var loaded: LoadedVersion? { content.withLock { $0.loaded } }
  }
}

/// Changes of what serves.
extension ModelRegistry {
  var accepts: Bool { state.withLock { !$0.isShuttingDown } }

  func beginShutdown() { state.withLock { $0.isShuttingDown = true } }

  /// Notes how far a load is; nil when it is over.
  func progress(_ source: VersionSource, _ step: VersionState?) {
    update(source.model) { $0.loading[source.version] = step }
  }

  func refuse(_ source: VersionSource, _ cause: LoadFailure) {
    var status = VersionStatus(model: source.model, version: source.version, state: .refused)
    status.cause = cause
    update(source.model) { $0.remember(status, maximum: limits.historyMaximum) }
  }

  /// Whether exactly this source serves already.
  func serves(_ source: VersionSource) -> Bool {
    update(source.model) { $0.serving[source.version]?.source.path == source.path }
  }

  /// Bytes that come free when everything that serves or drains of `model` is gone.
  func reclaimableBytes(of model: String) -> Int {
    update(model) { entry in
      entry.serving.values.reduce(0) { $0 + $1.memory.totalBytes }
        + entry.draining.reduce(0) { $0 + $1.memory.totalBytes }
    }
  }

  /// What tells that each draining version of `model` is gone.
  func draining(of model: String) -> [Semaphore] {
    update(model) { $0.draining.map(\.gone) }
  }

  /// From here to `release(parkedOf:)` leases of `model` wait; gives the labels of before.
  func beginSwitch(_ model: String) -> [String: Int64] {
    update(model) { entry in
      entry.isSwitching = true
      return entry.labels
    }
  }

  /// Makes `loaded` the version that serves its model, and lets go of those that served before.
  ///
  /// - Parameter labels: the model's labels from now on; nil moves `stable` alone.
  /// - Returns: false when the agent is shutting down and nothing was changed.
  func swap(in loaded: LoadedVersion, labels: [String: Int64]?) -> Bool {
    let version = loaded.description.version
    let model = loaded.description.model
    // Dropped after the lock: the end of the last reference takes it again.
    let former: [LoadedVersion]? = state.withLock { state in
      guard !state.isShuttingDown else { return nil }
      var entry = state.models[model] ?? ModelEntry(model: model)
      let former = Array(entry.serving.values)
      entry.drain(former)
      entry.draining.removeAll { $0.id == loaded.id }
      entry.serving = [version: loaded]
      entry.labels = labels ?? entry.labels
      if labels == nil { entry.labels[ModelEntry.stable] = version }
      entry.loading[version] = nil
      entry.history.removeAll { $0.version == version }
      state.models[model] = entry
      return former
    }
    return former != nil
  }

  /// Takes a version, or all of them, out of service.
  func withdraw(_ model: String, only version: Int64?) -> [LeavingVersion] {
    let former: [LoadedVersion] = state.withLock { state in
      guard var entry = state.models[model] else { return [] }
      let former = entry.serving.values.filter {
        version == nil || $0.description.version == version
      }
      entry.drain(former)
      for loaded in former { entry.serving[loaded.description.version] = nil }
      if let version { entry.labels = entry.labels.filter { $0.value != version } }
      state.models[model] = entry
      return former
    }
    return former.map { LeavingVersion($0) }
  }
}

extension ModelEntry {
  /// The label of the version that a load brought into service.
  static let stable = "stable"

  /// Enters versions that leave service into the list of those that drain.
  mutating func drain(_ versions: [LoadedVersion]) {
    draining += versions.map {
      Draining(
        id: $0.id, version: $0.description.version, metrics: $0.metrics, memory: $0.memory,
        gone: $0.gone)
    }
  }
}
