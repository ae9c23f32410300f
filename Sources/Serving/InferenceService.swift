import Synchronization
import Tensors

/// What the public protocols ask: which models there are, and inferences.
package final class InferenceService: Sendable {
  let registry: ModelRegistry
  /// Memory of apps that requests may name in place of sending bytes.
  package let regions = TensorRegions()

  private let memory: MemoryPool
  private let shadows: ShadowRunner

  init(_ registry: ModelRegistry, _ memory: MemoryPool) {
    self.registry = registry
    self.memory = memory
    shadows = ShadowRunner(registry, memory)
  }

  /// Rows of one request.
  package var batchMaximum: Int { registry.limits.batchMaximum }

  /// Every declared model and composite, sorted.
  package func modelNames() -> [String] {
    let composites = registry.composites.withLock { Array($0.keys) }
    return registry.state.withLock { ($0.models.keys + composites).sorted() }
  }

  /// Whether every declared model has a version that serves, or was taken out of service by hand,
  /// and the agent is not shutting down.
  package func isReady() -> Bool {
    let composites = registry.composites.withLock { Array($0.values) }
    return modelsAreReady
      && composites.allSatisfy { isHeld($0) || status(of: $0).state == .serving }
  }

  private var modelsAreReady: Bool {
    registry.state.withLock { state in
      !state.isShuttingDown
        && state.models.values.allSatisfy { !$0.serving.isEmpty || $0.isSwitching || $0.isHeld }
    }
  }

  /// Which versions of `model` are to serve.
  package func policy(of model: String) -> VersionPolicy {
    registry.state.withLock { $0.models[model]?.declaration.policy } ?? .latest(1)
  }

  /// How the canary of `model` does; nil without one.
  package func canary(of model: String) -> CanaryStatus? {
    registry.state.withLock { state in
      state.models[model]?.canary.map { CanaryStatus(canary: $0.canary, reverted: $0.reverted) }
    }
  }

  /// How the shadow of `model` compares; nil without one.
  package func shadow(of model: String) -> ShadowStatus? {
    registry.state.withLock { $0.models[model]?.shadow }?.status
  }

  /// What is wanted of `model` and what is not: for whoever judges how the agent is doing.
  package func declaration(
    of model: String
  ) -> (labels: [String: Int64], isHeld: Bool) {
    if let composite = registry.composite(model) { return ([:], isHeld(composite)) }
    return registry.state.withLock { state in
      let entry = state.models[model]
      return (entry?.declaration.labels ?? [:], entry?.isHeld ?? false)
    }
  }

  /// Every version known of `model`, the highest first.
  package func statuses(of model: String) throws(ServingError) -> [VersionStatus] {
    guard let entry = registry.state.withLock({ $0.models[model] }) else {
      if let composite = registry.composite(model) { return [status(of: composite)] }
      throw .modelNotFound(model: model)
    }
    return entry.statuses()
  }

  /// Requests that found no version, by outcome.
  package func unresolvedOutcomes() -> [RequestOutcome: UInt64] {
    registry.unresolved.withLock { $0 }
  }

  /// Gives a reference to a version.
  ///
  /// Completes at once in general; while a drain-first switch is under way the request is parked,
  /// bounded in count and time, and completes on a compute thread.
  /// - Parameter mayStandIn: whether a version of another model will do when this one does not
  ///   serve.
  package func lease(
    _ model: String, _ selector: VersionSelector, _ terms: RequestTerms = RequestTerms(),
    mayStandIn: Bool = false,
    _ completion: @escaping @Sendable (Result<VersionLease, ServingError>) -> Void
  ) {
    registry.lease(model, selector, terms) { [self] result in
      if case .failure(let error) = result {
        if case .modelNotFound = error, let composite = registry.composite(model) {
          return lease(composite, selector, terms, completion)
        }
        if mayStandIn, selector == .latest, Fallback.stepsIn(for: error),
          let lease = registry.standIn(registry.fallback(of: model).models, for: nil)
        {
          return completion(.success(lease))
        }
        registry.countUnresolved(error)
      }
      completion(result)
    }
  }

  private func lease(
    _ composite: CompositeEntry, _ selector: VersionSelector, _ terms: RequestTerms,
    _ completion: @escaping @Sendable (Result<VersionLease, ServingError>) -> Void
  ) {
    let refusal: ServingError?
    switch selector {
    case .latest, .version(CompositeEntry.version): refusal = nil
    case .version(let version):
      refusal = .versionNotFound(model: composite.name, version: version)
    case .label(let label): refusal = .labelNotFound(model: composite.name, label: label)
    }
    if let refusal {
      registry.countUnresolved(refusal)
      return completion(.failure(refusal))
    }
    lease(composite, terms) { [registry] result in
      if case .failure(let error) = result { registry.countUnresolved(error) }
      completion(result)
    }
  }

  /// Counts a request that was sent to the version of `lease` and is none that it can answer.
  package func countInvalid(_ lease: VersionLease, _ terms: RequestTerms) {
    lease.metrics.record(.invalid, nanoseconds: 0)
    registry.sampler?.record(.invalid) {
      RequestRecord(
        InferenceRequest(inputs: [], terms: terms), lease.description, .invalid, rows: 0,
        queueNanoseconds: 0, inferNanoseconds: 0)
    }
  }

  /// Answers `request` with the version of `lease`, or what steps in for it.
  ///
  /// Completes on the calling thread when the version's inferences are short, and on a compute
  /// thread otherwise.
  package func infer(
    _ lease: VersionLease, _ request: InferenceRequest,
    _ completion: @escaping @Sendable (Result<InferenceResponse, ServingError>) -> Void
  ) {
    let model = lease.description.model
    var request = request
    // The members of a composite are waited for one after the other, each within the bound.
    if case .version = lease.holder { request.terms = boundWait(request.terms) }
    guard lease.isStandIn || !lease.fallback.isEmpty else {
      return run(lease, request, completion)
    }
    run(lease, request) { [self, request] result in
      switch result {
      case .success(var response):
        if lease.isStandIn { response.fallback = model }
        completion(.success(response))
      case .failure(let error):
        guard Fallback.stepsIn(for: error) else { return completion(result) }
        stepIn(lease, lease.fallback.models[...], request, error, completion)
      }
    }
  }

  /// Asks `models` one after the other, then gives the constant answer, then `error`.
  private func stepIn(
    _ lease: VersionLease, _ models: ArraySlice<String>, _ request: InferenceRequest,
    _ error: ServingError,
    _ completion: @escaping @Sendable (Result<InferenceResponse, ServingError>) -> Void
  ) {
    guard let model = models.first else {
      let plan = try? RequestPlan(
        request, lease.description, batchMaximum: registry.limits.batchMaximum)
      let response = plan.flatMap { lease.fallback.constantResponse($0, lease.description) }
      return completion(response.map { .success($0) } ?? .failure(error))
    }
    guard let other = registry.standIn([model], for: lease.description) else {
      return stepIn(lease, models.dropFirst(), request, error, completion)
    }
    var asked = request
    // The other may have more outputs than the one that was asked.
    asked.outputNames = request.outputNames ?? lease.description.outputs.map(\.name)
    run(other, asked) { [self] result in
      switch result {
      case .success(var response):
        response.fallback = model
        completion(.success(response))
      case .failure(let next):
        guard Fallback.stepsIn(for: next) else { return completion(result) }
        stepIn(lease, models.dropFirst(), request, error, completion)
      }
    }
  }

  /// `terms` of a request that begins to wait now.
  package func boundWait(_ terms: RequestTerms) -> RequestTerms { registry.limits.boundWait(terms) }

  private func run(
    _ lease: VersionLease, _ request: InferenceRequest,
    _ completion: @escaping @Sendable (Result<InferenceResponse, ServingError>) -> Void
  ) {
    let loaded: LoadedVersion
    switch lease.holder {
    case .composite(let composite): return run(composite, request, completion)
    case .version(let version): loaded = version
    }
    let admitted = MonotonicClock.now()
    var request = request
    let plan: RequestPlan
    let replyBytes: Int
    do throws(ServingError) {
      // What is looked at more than once must not change meanwhile.
      if !lease.inputRules.isTrivial || loaded.keepsAnswers {
        guard request.copyMemory() else { throw .inputUnreadable }
      }
      plan = try RequestPlan(
        request, lease.description, batchMaximum: registry.limits.batchMaximum,
        rules: lease.inputRules)
      replyBytes = try charge(plan)
    } catch {
      loaded.metrics.record(RequestOutcome(error), nanoseconds: 0)
      registry.sampler?.record(RequestOutcome(error)) {
        RequestRecord(
          request, lease.description, RequestOutcome(error), rows: 0, queueNanoseconds: 0,
          inferNanoseconds: 0)
      }
      return completion(.failure(error))
    }
    var answer = completion
    if replyBytes > 0 {
      answer = { [memory] result in
        completion(result)
        memory.giveBack(replyBytes)
      }
    }
    if lease.shadow != nil {
      let inner = answer
      answer = { [shadows, request] result in
        inner(result)
        if case .success(let response) = result { shadows.follow(lease, request, response) }
      }
    }
    var job = Job(
      lease: lease, request: request, plan: plan, admitted: admitted, completion: answer)
    if plan.hasOpenOutputs { charge(openOutputsOf: &job) }
    loaded.submit(job, registry.threads)
  }

  /// Has the bytes of outputs taken whose size is known only when they are made, and given back when
  /// the reply is written; the copy that is there lies within what the version was charged for them.
  private func charge(openOutputsOf job: inout Job) {
    let (plan, limits, memory, completion) = (job.plan, registry.limits, memory, job.completion)
    @Sendable func bytes(_ response: InferenceResponse) -> Int {
      let tensors = zip(plan.outputs, response.outputs).reduce(0) {
        $0 + ($1.0.isOpen ? $1.1.writtenByteCount : 0)
      }
      return tensors > limits.replyBytesFree ? tensors * limits.replyCopies : 0
    }
    job.charge = { response in
      memory.take(bytes(response)).map { refusal in
        ServingError.overMemory(needed: refusal.needed, available: refusal.available)
      }
    }
    job.completion = { result in
      completion(result)
      if case .success(let response) = result { memory.giveBack(bytes(response)) }
    }
  }

  /// Takes the bytes of a large reply; small ones are part of what a connection holds.
  private func charge(_ plan: RequestPlan) throws(ServingError) -> Int {
    let tensors = plan.outputs.reduce(0) { $0 + $1.rowBytes * plan.rows }
    guard tensors > registry.limits.replyBytesFree else { return 0 }
    let bytes = tensors * registry.limits.replyCopies
    if let refusal = memory.take(bytes) {
      throw .overMemory(needed: refusal.needed, available: refusal.available)
    }
    return bytes
  }
}

extension NamedTensor {
  /// The bytes, or as many as stand for the lists that a tensor without elements is written as.
  fileprivate var writtenByteCount: Int {
    max(bytes.count, TensorType(dataType, shape).spannedByteCount ?? 0)
  }
}
