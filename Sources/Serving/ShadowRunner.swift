/// Runs requests again on a version whose answers nobody gets.
struct ShadowRunner: Sendable {
  private let registry: ModelRegistry
  private let memory: MemoryPool

  init(_ registry: ModelRegistry, _ memory: MemoryPool) {
    self.registry = registry
    self.memory = memory
  }

  /// Asks the shadow of `lease` what was just answered, when nothing else has to be done.
  ///
  /// It comes behind the answer to the client, one request at a time, on a thread that gives way to
  /// all others; it never waits in a queue, and is let go wherever something else does.
  func follow(_ lease: VersionLease, _ request: InferenceRequest, _ response: InferenceResponse) {
    guard let target = lease.shadow, target.running.takesNext() else { return }
    let running = target.running
    // Memory of an app may say something else by now.
    guard request.inputs.allSatisfy({ $0.memory == nil }), !isBusy(target.loaded), running.begin()
    else { return running.countShed() }
    let bytes =
      request.inputs.reduce(0) { $0 + $1.bytes.count }
      + 2 * response.outputs.reduce(0) { $0 + $1.bytes.count }
    guard memory.take(bytes) == nil else {
      running.end()
      return running.countShed()
    }
    var asked = request
    asked.outputNames = response.outputs.map(\.name)
    asked.terms = RequestTerms()
    registry.threads.shadows.submit { [self, asked] in
      let comparison = run(target, asked, response)
      memory.giveBack(bytes)
      // Free for the next one before anybody can know of this one.
      running.end()
      switch comparison {
      case .shed: running.countShed()
      case .failed: running.countFailed()
      case .answered(let comparison): running.count(comparison)
      }
    }
  }

  private func isBusy(_ loaded: LoadedVersion) -> Bool {
    loaded.waiting > 0 || registry.threads.compute.waiting > 0
  }

  private enum Outcome {
    case shed, failed
    case answered(AnswerComparison)
  }

  private func run(
    _ target: ShadowTarget, _ request: InferenceRequest, _ response: InferenceResponse
  ) -> Outcome {
    guard
      let plan = try? RequestPlan(
        request, target.loaded.description, batchMaximum: registry.limits.batchMaximum)
    else { return .failed }
    guard !isBusy(target.loaded), let slot = target.loaded.takeIdle() else {
      return .shed
    }
    var (taken, isRefused) = (0, false)
    defer { memory.giveBack(taken) }
    let result = slot.runAlone(request, plan, target.loaded.description) { bytes in
      isRefused = memory.take(bytes) != nil
      if !isRefused { taken += bytes }
      return !isRefused
    }
    target.loaded.giveBack(slot, registry.threads)
    guard let answer = result else { return isRefused ? .shed : .failed }
    return .answered(
      AnswerComparison(
        response.outputs, answer.outputs, tolerance: target.running.shadow.tolerance))
  }
}

/// The version that a request is run on besides the one that answers it.
struct ShadowTarget: Sendable {
  var running: RunningShadow
  var loaded: LoadedVersion
}

extension ModelEntry {
  /// What requests that `answering` answers are run on too.
  func shadowTarget(besides answering: LoadedVersion) -> ShadowTarget? {
    guard let shadow, let loaded = serving[shadow.shadow.version], loaded !== answering else {
      return nil
    }
    return ShadowTarget(running: shadow, loaded: loaded)
  }
}
