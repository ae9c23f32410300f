import Glibc
import Serving
import Synchronization

/// Watches the local paths of all models on one thread of its own.
final class LocalStores: Sendable {
  private struct Entry: Sendable {
    var path: String
    var store = LocalStore()
  }

  private let entries: Mutex<[String: Entry]>
  private let manager: ModelManager
  private let pollMilliseconds: Int
  private let thread: JobThreads

  init(_ paths: [String: String], manager: ModelManager, pollMilliseconds: Int) {
    entries = Mutex(paths.mapValues { Entry(path: $0) })
    self.manager = manager
    self.pollMilliseconds = pollMilliseconds
    thread = JobThreads(
      name: "local-stores", threads: 1, stackBytes: AgentLimits.pollStackBytes, niceness: 10)
  }

  /// Looks once here and now, and from then on in intervals.
  func start() {
    poll()
    watch()
  }

  func shutdown() { _ = thread.shutdown(until: MonotonicClock.now() + 2_000_000_000) }

  /// Where local models are looked for, by name.
  var paths: [String: String] { entries.withLock { $0.mapValues(\.path) } }

  /// Looks at other paths from now on: what is gone from them leaves service, what is new is loaded,
  /// and a model whose path is another serves on until a version from there takes its place.
  func change(_ paths: [String: String]) {
    let gone = entries.withLock { entries in
      let gone = entries.keys.filter { paths[$0] == nil }
      let kept = entries.filter { paths[$0.key] == $0.value.path }
      entries = paths.mapValues { Entry(path: $0) }.merging(kept) { $1 }
      return gone
    }
    for model in gone { manager.forget(model) }
    for model in paths.keys { manager.declare(model) }
    thread.submit { [weak self] in self?.poll() }
  }

  /// Loads the highest version at the path of `model` now, and says how it went.
  func load(
    _ model: String, completion: @escaping @Sendable (Result<Void, RepositoryRefusal>) -> Void
  ) {
    guard let path = entries.withLock({ $0[model]?.path }) else {
      return completion(.failure(.notLocal(model: model)))
    }
    guard let file = VersionScan.versions(at: path).first else {
      return completion(.failure(.nothingFound(model: model, path: path)))
    }
    let isBusy = entries.withLock { entries in
      guard entries[model]?.store.loading == nil else { return true }
      entries[model]?.store.take(file)
      return false
    }
    guard !isBusy else { return completion(.failure(.busy(model: model))) }
    load(model, file) { result in
      completion(result.mapError { .failed(model: model, cause: $0) })
    }
  }

  /// Takes every version of `model` out of service until it is asked for again.
  func unload(_ model: String) -> RepositoryRefusal? {
    let refusal: RepositoryRefusal? = entries.withLock { entries in
      guard let entry = entries[model] else { return .notLocal(model: model) }
      guard entry.store.loading == nil else { return .busy(model: model) }
      entries[model]?.store.hold()
      return nil
    }
    if let refusal { return refusal }
    let serving = ((try? manager.service.statuses(of: model)) ?? []).filter { $0.state == .serving }
    for version in serving { manager.unload(model: model, version: version.version) }
    return nil
  }

  private func watch() {
    thread.submit(afterMilliseconds: pollMilliseconds) { [weak self] in
      self?.poll()
      self?.watch()
    }
  }

  private func poll() {
    for (model, path) in paths {
      let found = VersionScan.versions(at: path)
      let age = Int64(pollMilliseconds) * 1_000_000
      let wall = Self.wallClock()
      let wanted = entries.withLock { entries in
        entries[model]?.store.next(
          found, settled: { $0.isOlder(than: age, now: wall) }, now: Self.milliseconds())
      }
      if let wanted { load(model, wanted) }
    }
  }

  private func load(
    _ model: String, _ file: VersionFile,
    then: @escaping @Sendable (Result<Void, LoadFailure>) -> Void = { _ in }
  ) {
    manager.load(VersionSource(model: model, version: file.version, path: file.path)) {
      [weak self] result in
      guard let self else { return }
      let success = if case .success = result { true } else { false }
      entries.withLock { entries in
        entries[model]?.store.finished(success: success, now: Self.milliseconds())
      }
      // Without a version that serves, the next lower one is tried at once.
      if !success { thread.submit { [weak self] in self?.poll() } }
      then(result)
    }
  }

  private static func milliseconds() -> Int { Int(MonotonicClock.now() / 1_000_000) }

  private static func wallClock() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
