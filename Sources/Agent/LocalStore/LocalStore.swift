/// One model's local path: decides which of its versions to load next. A pure state machine over
/// what polls find.
///
/// The highest version is wanted; while nothing serves, lower ones are tried when the higher are
/// refused. A file is taken up when it has not changed for one poll, so that one still being copied
/// is left alone. What vanishes from the path keeps serving.
struct LocalStore: Sendable {
  /// A file that was tried and refused.
  private struct Failure: Sendable {
    var identity: FileIdentity
    /// Milliseconds to wait after the next change.
    var wait: Int
    /// Monotonic milliseconds.
    var next: Int
  }

  private var seen: [Int64: VersionFile] = [:]
  private var failures: [Int64: Failure] = [:]
  private(set) var loaded: Int64?
  private(set) var loading: VersionFile?
  /// Taken out of service by hand: nothing is loaded until somebody asks.
  private(set) var isHeld = false

  /// The version to load now.
  ///
  /// - Parameters:
  ///   - found: the highest first.
  ///   - settled: whether a file was last written so long ago that one look is enough.
  ///   - now: monotonic milliseconds.
  mutating func next(
    _ found: [VersionFile], settled: (FileIdentity) -> Bool, now: Int
  ) -> VersionFile? {
    let before = seen
    seen = Dictionary(found.map { ($0.version, $0) }, uniquingKeysWith: { first, _ in first })
    guard loading == nil, !isHeld else { return nil }
    for file in found {
      if let loaded, file.version <= loaded { return nil }
      guard settled(file.identity) || before[file.version] == file else {
        // Something lower will do until the copy is complete, but never in place of what serves.
        if loaded == nil { continue } else { return nil }
      }
      if let failure = failures[file.version] {
        let isChanged = failure.identity != file.identity
        guard isChanged, now >= failure.next else { continue }
      }
      loading = file
      return file
    }
    return nil
  }

  /// Somebody asked for `file` now: what failed before is forgotten.
  mutating func take(_ file: VersionFile) {
    isHeld = false
    failures = [:]
    loading = file
  }

  /// Somebody took the model out of service.
  mutating func hold() {
    isHeld = true
    loaded = nil
  }

  /// Notes how the load that `next` asked for ended.
  mutating func finished(success: Bool, now: Int) {
    guard let file = loading else { return }
    loading = nil
    if success {
      loaded = file.version
      failures = failures.filter { $0.key > file.version }
      return
    }
    let wait = min(
      failures[file.version].map { $0.wait * 2 } ?? AgentLimits.retryMillisecondsMinimum,
      AgentLimits.retryMillisecondsMaximum)
    failures[file.version] = Failure(identity: file.identity, wait: wait, next: now + wait)
  }
}
