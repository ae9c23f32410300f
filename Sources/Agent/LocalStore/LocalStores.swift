import Glibc
import ModelStorage
import Serving
import Synchronization

/// Watches the local paths of all models on one thread of its own.
final class LocalStores: Sendable {
  private struct State: Sendable {
    var entries: [String: Entry]
    /// A whole set of models is being put in place of these, which are left alone meanwhile.
    var isReplacing = false
    /// Versions whose packed weights are kept; nil before the first look.
    var keptWeights: [String: Set<Int64>]?
  }

  private struct Entry: Sendable {
    var model: LocalModel
    var store: LocalStore

    init(_ model: LocalModel, pin: Int64? = nil, loaded: Set<Int64> = []) {
      self.model = model
      store = LocalStore(policy: model.policy, loaded: loaded)
      store.pin = pin
    }
  }

  typealias Completion = @Sendable (Result<Void, RepositoryRefusal>) -> Void

  private let state: Mutex<State>
  private let manager: ModelManager
  private let pins: PinFile?
  private let canaries: KeptCanaries
  private let weightsCache: WeightsCache?
  private let pollMilliseconds: Int
  private let thread: JobThreads

  init(
    _ models: [String: LocalModel], manager: ModelManager, pins: PinFile? = nil,
    canaries: CanaryFile? = nil, weightsCache: WeightsCache? = nil, pollMilliseconds: Int
  ) {
    let pinned = pins?.read() ?? [:]
    state = Mutex(
      State(
        entries: Dictionary(
          uniqueKeysWithValues: models.map { ($0, Entry($1, pin: pinned[$0])) })))
    self.manager = manager
    self.pins = pins
    self.canaries = KeptCanaries(canaries)
    self.weightsCache = weightsCache
    self.pollMilliseconds = pollMilliseconds
    thread = JobThreads(
      name: "local-stores", threads: 1, stackBytes: AgentLimits.pollStackBytes, niceness: 10)
    for (name, model) in models { declare(name, model) }
  }

  /// Looks once here and now, and from then on in intervals.
  func start() {
    poll()
    watch()
  }

  func shutdown() {
    canaries.save(models, manager.service)
    _ = thread.shutdown(until: MonotonicClock.now() + 2_000_000_000)
  }

  /// The models and where they are looked for, by name.
  var models: [String: LocalModel] { state.withLock { $0.entries.mapValues(\.model) } }

  /// The versions that administrators chose, by model.
  var pinned: [String: Int64] { state.withLock { $0.entries.compactMapValues(\.store.pin) } }

  /// Looks after other models from now on: what is gone from them leaves service, what is new is
  /// loaded, and a model whose path is another serves on until a version from there takes its place.
  ///
  /// - Parameter pipelinesChanged: whether versions that pipelines held back are tried again.
  func change(_ models: [String: LocalModel], pipelinesChanged: Bool) {
    let gone = state.withLock { state in
      let before = state.entries
      state.entries = models.reduce(into: [:]) { entries, model in
        var entry = Entry(model.value, pin: before[model.key]?.store.pin)
        if let known = before[model.key], known.model.path == model.value.path {
          entry.store = known.store
          entry.store.policy = model.value.policy
          if pipelinesChanged { entry.store.forgetMisfits() }
        }
        entries[model.key] = entry
      }
      return before.keys.filter { models[$0] == nil }
    }
    for model in gone { manager.forget(model) }
    for (name, model) in models { declare(name, model) }
    thread.submit { [weak self] in self?.poll() }
  }

  /// A version made room for another, which failed, and cannot be brought back for now.
  func lost(_ model: String, _ version: Int64) {
    state.withLock { state in state.entries[model]?.store.lose(version) }
  }

  /// Puts `models` in place of all that are looked after, when every version that they ask for can be
  /// served, and changes nothing otherwise.
  func replace(_ models: [String: LocalModel], completion: @escaping Completion) {
    let plans: [ModelPlan]
    do throws(RepositoryRefusal) {
      plans = try models.sorted { $0.key < $1.key }
        .map { (name, model) throws(RepositoryRefusal) in try Self.plan(name, model) }
    } catch {
      return completion(.failure(error))
    }
    let isBusy = state.withLock { state in
      defer { state.isReplacing = true }
      return state.isReplacing
    }
    guard !isBusy else { return completion(.failure(.replacing)) }
    manager.apply(plans) { [weak self] result in
      guard let self else { return }
      finishReplacing(models, plans, isDone: (try? result.get()) != nil)
      completion(
        result.mapError { .failed(model: $0.model, version: $0.version, cause: $0.cause) })
    }
  }

  private func finishReplacing(
    _ models: [String: LocalModel], _ plans: [ModelPlan], isDone: Bool
  ) {
    let gone = state.withLock { state in
      state.isReplacing = false
      guard isDone else { return [String]() }
      let before = state.entries
      state.entries = Dictionary(
        uniqueKeysWithValues: plans.compactMap { plan in
          models[plan.model].map {
            (plan.model, Entry($0, loaded: Set(plan.versions.map(\.version))))
          }
        })
      return before.keys.filter { models[$0] == nil }
    }
    for model in gone { manager.forget(model) }
    // None is left to be found again; what cannot be written is in the log.
    if isDone { _ = savePins() }
  }

  /// The versions at the path of a model that its policy asks for.
  private static func plan(
    _ name: String, _ model: LocalModel
  ) throws(RepositoryRefusal) -> ModelPlan {
    let found = VersionScan.versions(at: model.path)
    let wanted = model.policy.selected(found.map(\.version))
    guard !wanted.isEmpty else { throw .nothingFound(model: name, path: model.path) }
    if case .specific(let versions) = model.policy,
      let missing = versions.first(where: { !wanted.contains($0) })
    {
      throw .versionNotFound(model: name, version: missing, path: model.path)
    }
    for (label, version) in model.labels.sorted(by: { $0.key < $1.key })
    where !wanted.contains(version) {
      throw .labelTarget(model: name, label: label, version: version)
    }
    var plan = ModelPlan(
      model: name, policy: model.policy, labels: model.labels, canary: model.canary,
      inputRules: model.inputRules, fallback: model.fallback,
      versions: found.filter { wanted.contains($0.version) }.map {
        model.source(name, $0)
      })
    plan.shadow = model.shadow
    return plan
  }

  // MARK: By hand

  /// Loads the highest version of `model` that its policy admits now, and says how it went.
  func load(_ model: String, completion: @escaping Completion) {
    take(model, completion) { entry in
      let policy = entry.store.pin.map { VersionPolicy.specific([$0]) } ?? entry.model.policy
      return VersionScan.versions(at: entry.model.path).first { policy.admits($0.version) }
    }
  }

  /// Serves `version` of `model` and no other from now on, whatever its policy says.
  func pin(_ model: String, to version: Int64, completion: @escaping Completion) {
    let (former, isServing) = state.withLock { state -> (Int64?, Bool) in
      guard let entry = state.entries[model], entry.store.loading == nil else { return (nil, false) }
      let isServing = entry.store.loaded.contains(version)
      if isServing { state.entries[model]?.store.pin = version }
      return (entry.store.pin, isServing)
    }
    let finish: Completion = { [weak self] outcome in
      guard let self else { return }
      var result = outcome
      if case .failure = result {
        state.withLock { state in
          if state.entries[model]?.store.pin == version { state.entries[model]?.store.pin = former }
        }
      } else if let refusal = savePins() {
        result = .failure(refusal)
      }
      thread.submit { [weak self] in self?.poll() }
      completion(result)
    }
    if isServing { return finish(.success(())) }
    // Set with the load, which it decides what to keep beside, or a poll would see it alone and load the version itself;
    // taken back when the load fails.
    take(model, finish, version: version, preparing: { $0.pin = version }) { entry in
      VersionScan.versions(at: entry.model.path).first { $0.version == version }
    }
  }

  /// Lets the policy of `model` choose again.
  func unpin(_ model: String) -> RepositoryRefusal? {
    let refusal: RepositoryRefusal? = state.withLock { state in
      guard state.entries[model] != nil else { return .notLocal(model: model) }
      state.entries[model]?.store.pin = nil
      return nil
    }
    guard refusal == nil else { return refusal }
    defer { thread.submit { [weak self] in self?.poll() } }
    return savePins()
  }

  /// Pins `model` to the version below the highest that serves.
  func rollBack(
    _ model: String, completion: @escaping @Sendable (Result<Int64, RepositoryRefusal>) -> Void
  ) {
    guard let entry = state.withLock({ $0.entries[model] }) else {
      return completion(.failure(.notLocal(model: model)))
    }
    let highest = entry.store.loaded.max() ?? .max
    let candidates = VersionScan.versions(at: entry.model.path).map(\.version) + entry.store.loaded
    guard let version = candidates.filter({ $0 < highest }).max() else {
      return completion(.failure(.nothingBelow(model: model, version: highest)))
    }
    pin(model, to: version) { result in completion(result.map { version }) }
  }

  /// Takes every version of `model` out of service until it is asked for again.
  func unload(_ model: String) -> RepositoryRefusal? {
    let refusal: RepositoryRefusal? = state.withLock { state in
      guard let entry = state.entries[model] else { return .notLocal(model: model) }
      guard entry.store.loading == nil else { return .busy(model: model) }
      state.entries[model]?.store.hold()
      return nil
    }
    if refusal == nil { manager.hold(model) }
    return refusal
  }

  /// Loads the file that `choose` finds for `model` now.
  private func take(
    _ model: String, _ completion: @escaping Completion, version: Int64? = nil,
    preparing: (inout LocalStore) -> Void = { _ in }, _ choose: (Entry) -> VersionFile?
  ) {
    guard let entry = state.withLock({ $0.entries[model] }) else {
      return completion(.failure(.notLocal(model: model)))
    }
    guard let file = choose(entry) else {
      let path = entry.model.path
      return completion(
        .failure(
          version.map { .versionNotFound(model: model, version: $0, path: path) }
            ?? .nothingFound(model: model, path: path)))
    }
    let kept: Set<Int64>? = state.withLock { state in
      guard var store = state.entries[model]?.store, store.loading == nil, !state.isReplacing else {
        return nil
      }
      preparing(&store)
      defer { state.entries[model]?.store = store }
      return store.take(file)
    }
    guard let kept else { return completion(.failure(.busy(model: model))) }
    // A version that is named is somebody's wish, whatever pipelines say.
    load(model, file, keeping: kept, keepsPipelines: version == nil) { result in
      completion(
        result.mapError { .failed(model: model, version: file.version, cause: $0) })
    }
  }

  // MARK: Polls

  private func watch() {
    thread.submit(afterMilliseconds: pollMilliseconds) { [weak self] in
      self?.poll()
      self?.watch()
    }
  }

  private func poll() {
    canaries.save(models, manager.service)
    var present: [String: Set<Int64>] = [:]
    defer { collectWeights(present) }
    for (model, path) in models.mapValues(\.path) {
      let found = VersionScan.versions(at: path)
      present[model] = Set(found.map(\.version))
      let age = Int64(pollMilliseconds) * 1_000_000
      let wall = Self.wallClock()
      let step = state.withLock { state -> LocalStore.Step? in
        guard !state.isReplacing else { return nil }
        return state.entries[model]?.store.next(
          found, settled: { $0.isOlder(than: age, now: wall) }, now: Self.milliseconds())
      }
      switch step {
      case .load(let file, let kept): load(model, file, keeping: kept)
      case .unload(let version): manager.unload(model: model, version: version)
      case nil: break
      }
    }
  }

  /// Removes packed weights of versions that are neither at their path nor in service.
  private func collectWeights(_ present: [String: Set<Int64>]) {
    guard let weightsCache else { return }
    let kept: [String: Set<Int64>]? = state.withLock { state in
      let kept = state.entries.reduce(into: [String: Set<Int64>]()) { kept, entry in
        let store = entry.value.store
        kept[entry.key] = (present[entry.key] ?? []).union(store.loaded)
          .union(store.loading.map { [$0.version] } ?? [])
      }
      guard kept != state.keptWeights, !state.isReplacing else { return nil }
      state.keptWeights = kept
      return kept
    }
    if let kept { weightsCache.collectGarbage(keep: kept) }
  }

  private func load(
    _ model: String, _ file: VersionFile, keeping kept: Set<Int64>, keepsPipelines: Bool = true,
    then: @escaping @Sendable (Result<Void, LoadFailure>) -> Void = { _ in }
  ) {
    let settings = models[model]
    // Again, for a model that was taken away and came back while the first was under way.
    if let settings { declare(model, settings) }
    var source = (settings ?? LocalModel(file.path)).source(model, file)
    source.keepsComposites = keepsPipelines
    manager.load(source, keeping: kept) { [weak self] result in
      guard let self else { return }
      let success = if case .success = result { true } else { false }
      let isMisfit = if case .failure(.misfit) = result { true } else { false }
      let wantsMore = state.withLock { state in
        state.entries[model]?.store.finished(
          success: success, isMisfit: isMisfit, now: Self.milliseconds())
        return !success || state.entries[model]?.model.policy != .latest(1)
      }
      // The next version is tried at once: a lower one when none serves, or the next of several.
      if wantsMore { thread.submit { [weak self] in self?.poll() } }
      then(result)
    }
  }

  private func declare(_ name: String, _ model: LocalModel) {
    let (canary, reverted) = canaries.canary(of: name, configured: model.canary)
    manager.declare(
      name, policy: model.policy, labels: model.labels, canary: canary, shadow: model.shadow,
      inputRules: model.inputRules, fallback: model.fallback)
    if let canary, let reverted { manager.markReverted(canary, of: name, reverted) }
  }

  private func savePins() -> RepositoryRefusal? { pins?.write(pinned) }

  private static func milliseconds() -> Int { Int(MonotonicClock.now() / 1_000_000) }

  private static func wallClock() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension LocalModel {
  /// A version of this model, called `name`, with what its settings say of it.
  fileprivate func source(_ name: String, _ file: VersionFile) -> VersionSource {
    var source = VersionSource(
      model: name, version: file.version, path: file.path, cacheBytes: cacheBytes)
    source.weightsPlace = .cache(model: name, version: file.version)
    source.batchRowsMaximum = batchRowsMaximum
    source.instances = instances
    source.computedShapesBytes = computedShapesBytes
    return source
  }
}
