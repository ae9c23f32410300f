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

  private func watch() {
    thread.submit(afterMilliseconds: pollMilliseconds) { [weak self] in
      self?.poll()
      self?.watch()
    }
  }

  private func poll() {
    let paths: [String: String] = entries.withLock { $0.mapValues(\.path) }
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

  private func load(_ model: String, _ file: VersionFile) {
    manager.load(VersionSource(model: model, version: file.version, path: file.path)) {
      [weak self] result in
      guard let self else { return }
      let success = if case .success = result { true } else { false }
      entries.withLock { entries in
        entries[model]?.store.finished(success: success, now: Self.milliseconds())
      }
      // Without a version that serves, the next lower one is tried at once.
      if !success { thread.submit { [weak self] in self?.poll() } }
    }
  }

  private static func milliseconds() -> Int { Int(MonotonicClock.now() / 1_000_000) }

  private static func wallClock() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
