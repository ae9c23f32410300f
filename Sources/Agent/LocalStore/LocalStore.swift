import Serving

/// One model's local path: decides which of its versions to load or let go next. A pure state machine
/// over what polls find.
///
/// The policy's versions are wanted; while nothing serves, lower ones are tried when the higher are
/// refused. A file is taken up when it has not changed for one poll, so that one still being copied
/// is left alone. What vanishes from the path keeps serving.
struct LocalStore: Sendable {
  /// What to do now.
  enum Step: Equatable {
    /// Bring a version into service beside those named, in place of any other.
    case load(VersionFile, keeping: Set<Int64>)
    case unload(Int64)
  }

  /// A file that was tried and refused.
  private struct Failure: Sendable {
    var identity: FileIdentity
    /// Milliseconds to wait after the next change.
    var wait: Int
    /// Monotonic milliseconds.
    var next: Int
    /// A pipeline would not work with it.
    var isMisfit: Bool
  }

  /// What the owner of the model asks for.
  var policy = VersionPolicy.latest(1)
  /// The one version that an administrator asked for instead.
  var pin: Int64?
  private var seen: [Int64: VersionFile] = [:]
  private var failures: [Int64: Failure] = [:]
  /// Versions that served, made room and could not be brought back: tried again until they serve,
  /// for it is not their files that fail.
  private var lost: Set<Int64> = []
  private(set) var loaded: Set<Int64> = []
  private(set) var loading: VersionFile?
  private var keptBesideLoading: Set<Int64> = []
  /// Taken out of service by hand: nothing is loaded until somebody asks.
  private(set) var isHeld = false

  init(policy: VersionPolicy = .latest(1), loaded: Set<Int64> = []) {
    self.policy = policy
    self.loaded = loaded
  }

  private var effectivePolicy: VersionPolicy { pin.map { .specific([$0]) } ?? policy }

  /// What to do now; nil for nothing.
  ///
  /// - Parameters:
  ///   - found: the highest first.
  ///   - settled: whether a file was last written so long ago that one look is enough.
  ///   - now: monotonic milliseconds.
  mutating func next(
    _ found: [VersionFile], settled: (FileIdentity) -> Bool, now: Int
  ) -> Step? {
    let before = seen
    seen = Dictionary(found.map { ($0.version, $0) }, uniquingKeysWith: { first, _ in first })
    guard loading == nil, !isHeld else { return nil }
    let policy = effectivePolicy
    var serving = 0
    for version in Set(seen.keys).union(loaded).filter(policy.admits).sorted(by: >) {
      guard serving < policy.count else { break }
      guard !loaded.contains(version), let file = seen[version] else {
        serving += 1
        continue
      }
      guard settled(file.identity) || before[version] == file else {
        // Something lower will do until the copy is complete, but never in place of what serves.
        if loaded.isEmpty { continue } else { return nil }
      }
      if let failure = failures[version] {
        let isChanged = failure.identity != file.identity || lost.contains(version)
        guard isChanged, now >= failure.next else { continue }
      }
      return .load(file, keeping: begin(file))
    }
    return surplus()
  }

  /// A version that the policy does not want; never the last that serves.
  private mutating func surplus() -> Step? {
    let wanted = effectivePolicy.selected(loaded)
    guard !wanted.isEmpty, let version = loaded.subtracting(wanted).min() else { return nil }
    loaded.remove(version)
    return .unload(version)
  }

  /// Notes that `file` is being loaded, and gives the versions that stay beside it.
  private mutating func begin(_ file: VersionFile) -> Set<Int64> {
    loading = file
    keptBesideLoading = effectivePolicy.selected(loaded.union([file.version]))
      .intersection(loaded).subtracting([file.version])
    return keptBesideLoading
  }

  /// Somebody asked for `file` now: what failed before is forgotten.
  mutating func take(_ file: VersionFile) -> Set<Int64> {
    isHeld = false
    failures = [:]
    return begin(file)
  }

  /// Pipelines are others now: what did not fit those of before may be tried again.
  mutating func forgetMisfits() { failures = failures.filter { !$0.value.isMisfit } }

  /// Somebody took the model out of service.
  mutating func hold() {
    isHeld = true
    loaded = []
    lost = []
  }

  /// A version serves no longer, and nobody wanted that.
  mutating func lose(_ version: Int64) {
    guard loaded.remove(version) != nil else { return }
    keptBesideLoading.remove(version)
    lost.insert(version)
  }

  /// Notes how the load that `next` asked for ended.
  ///
  /// - Parameter isMisfit: whether a pipeline held the version back.
  mutating func finished(success: Bool, isMisfit: Bool = false, now: Int) {
    guard let file = loading else { return }
    loading = nil
    if success {
      loaded = keptBesideLoading.union([file.version])
      failures[file.version] = nil
      lost.remove(file.version)
      if case .latest = policy, let lowest = loaded.min() {
        failures = failures.filter { $0.key > lowest }
      }
      return
    }
    let wait = min(
      failures[file.version].map { $0.wait * 2 } ?? AgentLimits.retryMillisecondsMinimum,
      AgentLimits.retryMillisecondsMaximum)
    failures[file.version] = Failure(
      identity: file.identity, wait: wait, next: now + wait, isMisfit: isMisfit)
  }
}
