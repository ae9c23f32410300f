/// What the registry knows about one model.
struct ModelEntry {
  /// A version that no longer takes requests, and whose memory is still held by some.
  struct Draining {
    var id: UInt64
    var version: Int64
    var metrics: VersionMetrics
    var memory: VersionMemory
    /// Posted when its memory is gone.
    var gone: Semaphore
  }

  /// A lease asked for during a drain-first switch.
  struct Parked: Sendable {
    var selector: VersionSelector
    var affinity: UInt64
    /// Monotonic nanoseconds.
    var expires: UInt64
    var completion: @Sendable (Result<VersionLease, ServingError>) -> Void
  }

  let model: String
  /// Ready for requests, by number.
  var serving: [Int64: LoadedVersion] = [:]
  var labels: [String: Int64] = [:]
  /// Waiting for the loader, or in its hands.
  var loading: [Int64: VersionState] = [:]
  var draining: [Draining] = []
  /// The latest last.
  var history: [VersionStatus] = []
  var declaration = Declaration()
  var canary: RunningCanary?
  var shadow: RunningShadow?
  /// Somebody took the model out of service, so that it is not missed.
  var isHeld = false
  /// A drain-first switch is under way, and leases are parked.
  var isSwitching = false
  var parked = FIFO<Parked>()
  /// When somebody looks after those of `parked` whose time is over; monotonic nanoseconds, nil for
  /// never.
  var parkedWatch: UInt64?
  /// What bounded requests for the versions that left service last; nil before there were any.
  var lastRequestBytes: RequestBytes?

  init(model: String) { self.model = model }

  /// - Parameter affinity: what decides whether the request falls to a canary.
  func resolve(
    _ selector: VersionSelector, affinity: UInt64
  ) throws(ServingError) -> LoadedVersion {
    switch selector {
    case .latest:
      guard let loaded = usual(affinity) else { throw .notReady(model: model) }
      return loaded
    case .version(let version):
      guard let loaded = serving[version] else {
        throw .versionNotFound(model: model, version: version)
      }
      return loaded
    case .label(let label):
      guard let version = labels[label] else { throw .labelNotFound(model: model, label: label) }
      guard let loaded = serving[version] else {
        throw .versionNotFound(model: model, version: version)
      }
      return loaded
    }
  }

  mutating func remember(_ status: VersionStatus, maximum: Int) {
    history.removeAll { $0.version == status.version && $0.state == status.state }
    history.append(status)
    if history.count > maximum { history.removeFirst(history.count - maximum) }
  }

  /// Every version known, the highest first; of one number, the livelier state.
  func statuses() -> [VersionStatus] {
    var statuses: [VersionStatus] = []
    for (version, loaded) in serving {
      var status = VersionStatus(model: model, version: version, state: .serving)
      status.memory = loaded.memory
      status.loadNanoseconds = loaded.loadNanoseconds
      status.waiting = loaded.waiting
      status.batching = loaded.batching
      status.instances = loaded.instanceCount
      status.weightsRefusal = loaded.weightsRefusal
      loaded.metrics.fill(&status)
      statuses.append(status)
    }
    for (version, state) in loading {
      statuses.append(VersionStatus(model: model, version: version, state: state))
    }
    for record in draining {
      var status = VersionStatus(model: model, version: record.version, state: .draining)
      status.memory = record.memory
      record.metrics.fill(&status)
      statuses.append(status)
    }
    let live = Set(statuses.map(\.version))
    statuses += history.filter { !live.contains($0.version) || $0.state == .refused }
    for index in statuses.indices where statuses[index].state == .serving {
      let version = statuses[index].version
      statuses[index].labels = labels.filter { $0.value == version }.keys.sorted()
    }
    return statuses.enumerated()
      .sorted { ($0.element.version, $1.offset) > ($1.element.version, $0.offset) }
      .map(\.element)
  }
}
