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

  /// Whether exactly this source serves already, unharmed.
  func serves(_ source: VersionSource) -> Bool {
    update(source.model) { entry in
      guard let loaded = entry.serving[source.version] else { return false }
      return loaded.source.path == source.path && !loaded.isDamaged
    }
  }

  /// Whether a version of `model` serves that is none of `kept`.
  func serves(_ model: String, besides kept: Set<Int64>) -> Bool {
    update(model) { !kept.isSuperset(of: $0.serving.keys) }
  }

  /// The version with this number that serves while `id` is its own, and those that serve beside it; nil
  /// when another has its place.
  func neighbours(of id: UInt64, _ source: VersionSource) -> Set<Int64>? {
    update(source.model) { entry in
      guard entry.serving[source.version]?.id == id else { return nil }
      return Set(entry.serving.keys).subtracting([source.version])
    }
  }

  /// Everything that serves.
  var servingVersions: [LoadedVersion] {
    state.withLock { state in state.models.values.flatMap { Array($0.serving.values) } }
  }

  /// Bytes that come free when all that serves or drains of `model` is gone, but for `kept`.
  func reclaimableBytes(of model: String, except kept: Set<Int64>) -> Int {
    update(model) { entry in
      entry.serving.reduce(0) { $0 + (kept.contains($1.key) ? 0 : $1.value.memory.totalBytes) }
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

  /// Takes one version of `model` out of service; its labels go with it.
  func withdraw(_ model: String, only version: Int64) -> [LeavingVersion] {
    withdraw(model) { entry in
      let kept = Set(entry.serving.keys).subtracting([version])
      return entry.make(ModelChange(model: model, kept: kept))
    }
  }

  /// Takes all versions of `model` but `kept` out of service; its labels stay for those that come.
  func withdraw(_ model: String, except kept: Set<Int64> = []) -> [LeavingVersion] {
    withdraw(model) { entry in
      let former = entry.serving.filter { !kept.contains($0.key) }
      entry.drain(Array(former.values))
      for version in former.keys { entry.serving[version] = nil }
      return Array(former.values)
    }
  }

  private func withdraw(
    _ model: String, _ body: (inout ModelEntry) -> [LoadedVersion]
  ) -> [LeavingVersion] {
    let former: [LoadedVersion] = state.withLock { state in
      guard var entry = state.models[model] else { return [] }
      defer { state.models[model] = entry }
      return body(&entry)
    }
    return former.map { LeavingVersion($0) }
  }
}

extension ModelEntry {
  /// The label of the version that a load brought into service.
  static let stable = "stable"

  /// Enters versions that leave service into the list of those that drain.
  mutating func drain(_ versions: [LoadedVersion]) {
    if !versions.isEmpty { lastRequestBytes = requestBytes }
    draining += versions.map {
      Draining(
        id: $0.id, version: $0.description.version, metrics: $0.metrics, memory: $0.memory,
        gone: $0.gone)
    }
  }
}
