import Synchronization

/// What the public protocols ask: which models there are, and inferences.
package final class InferenceService: Sendable {
  private let registry: ModelRegistry

  init(_ registry: ModelRegistry) { self.registry = registry }

  /// Every declared model, sorted.
  package func modelNames() -> [String] { registry.state.withLock { $0.models.keys.sorted() } }

  /// Whether every declared model has a version that serves, and the agent is not shutting down.
  package func isReady() -> Bool {
    registry.state.withLock { state in
      !state.isShuttingDown
        && state.models.values.allSatisfy { !$0.serving.isEmpty || $0.isSwitching }
    }
  }

  /// Every version known of `model`, the highest first.
  package func statuses(of model: String) throws(ServingError) -> [VersionStatus] {
    guard let entry = registry.state.withLock({ $0.models[model] }) else {
      throw .modelNotFound(model: model)
    }
    return entry.statuses()
  }

  /// Gives a reference to a version.
  ///
  /// Completes at once in general; while a drain-first switch is under way the request is parked,
  /// bounded in count and time, and completes on a compute thread.
  package func lease(
    _ model: String, _ selector: VersionSelector,
    _ completion: @escaping @Sendable (Result<VersionLease, ServingError>) -> Void
  ) {
    registry.lease(model, selector, completion)
  }

  /// Answers `request` with the version of `lease`.
  ///
  /// Completes on the calling thread when the version's inferences are short, and on a compute
  /// thread otherwise.
  package func infer(
    _ lease: VersionLease, _ request: InferenceRequest,
    _ completion: @escaping @Sendable (Result<InferenceResponse, ServingError>) -> Void
  ) {
    let admitted = MonotonicClock.now()
    let plan: RequestPlan
    do throws(ServingError) {
      plan = try RequestPlan(
        request, lease.description, batchMaximum: registry.limits.batchMaximum)
    } catch {
      lease.loaded.metrics.record(RequestOutcome(error), nanoseconds: 0)
      return completion(.failure(error))
    }
    let job = LoadedVersion.Job(
      lease: lease, request: request, plan: plan, admitted: admitted, completion: completion)
    lease.loaded.submit(job, registry.executor)
  }
}
