import Synchronization
import Tensors

extension InferenceService {
  /// Puts `composites` in place of all that there are; one that is the same object goes on as it is.
  package func setComposites(_ composites: [String: any Composite & AnyObject]) {
    registry.composites.withLock { known in
      known = composites.reduce(into: [:]) { entries, item in
        if let entry = known[item.key], entry.composite as AnyObject === item.value {
          entries[item.key] = entry
        } else {
          entries[item.key] = CompositeEntry(item.key, item.value)
        }
      }
    }
  }

  /// How the composite called `name` is doing; nil when there is none.
  package func compositeStatus(of name: String) -> CompositeStatus? {
    registry.composite(name)?.status
  }

  /// Readies the composites that `model` is part of for the versions that serve now, so that no
  /// request has to wait for it.
  package func readyComposites(with model: String) {
    let entries = registry.composites.withLock { $0.values.filter { $0.composite.members.contains(model) } }
    for entry in entries { lease(entry, RequestTerms()) { _ in } }
  }

  func status(of entry: CompositeEntry) -> VersionStatus {
    let hasMembers = registry.state.withLock { state in
      entry.composite.members.allSatisfy { member in
        state.models[member].map { !$0.serving.isEmpty || $0.isSwitching } ?? false
      }
    }
    return entry.versionStatus(hasMembers: hasMembers)
  }

  /// Whether somebody took a member out of service, so that the composite is not missed either.
  func isHeld(_ entry: CompositeEntry) -> Bool {
    registry.state.withLock { state in
      entry.composite.members.contains { state.models[$0]?.isHeld ?? false }
    }
  }

  /// Tells whoever follows events that a composite cannot answer with the versions that serve.
  package func tellRefused(_ name: String, _ reason: String) {
    registry.onEvent(
      .refused(model: name, version: CompositeEntry.version, cause: .misfit(reason)))
  }

  /// Runs `job` on a compute thread.
  package func compute(_ job: @escaping @Sendable () -> Void) {
    registry.threads.compute.submit(job)
  }

  /// Requests that wait before one composite.
  package var queueDepthMaximum: Int { registry.limits.queueDepthMaximum }

  func lease(
    _ entry: CompositeEntry, _ terms: RequestTerms,
    _ completion: @escaping @Sendable (Result<VersionLease, ServingError>) -> Void
  ) {
    registry.lease(together: entry.composite.members, terms) { [rows = batchMaximum] result in
      switch result {
      case .failure(.modelNotFound(let model)): completion(.failure(.notReady(model: model)))
      case .failure(let error): completion(.failure(error))
      case .success(let leases):
        entry.composite.bind(leases) { result in
          entry.note(leases, result, rowsMaximum: rows)
          completion(
            result.map { VersionLease(CompositeLease(entry: entry, bound: $0, leases: leases)) })
        }
      }
    }
  }

  func run(
    _ lease: CompositeLease, _ request: InferenceRequest,
    _ completion: @escaping @Sendable (Result<InferenceResponse, ServingError>) -> Void
  ) {
    let admitted = MonotonicClock.now()
    lease.bound.run(lease.leases, request) { [registry] result in
      let elapsed = MonotonicClock.now() - admitted
      let (metrics, description) = (lease.entry.metrics, lease.bound.description)
      var (outcome, rows) = (RequestOutcome.ok, 1)
      switch result {
      case .success(let response):
        rows = response.outputs.first?.shape.extents.first ?? 1
        metrics.record(rows: rows, queueNanoseconds: 0, inferNanoseconds: elapsed)
      case .failure(let error): outcome = RequestOutcome(error)
      }
      metrics.record(outcome, nanoseconds: elapsed)
      registry.sampler?.record(outcome) {
        RequestRecord(
          request, description, outcome, rows: rows, queueNanoseconds: 0,
          inferNanoseconds: elapsed)
      }
      completion(result)
    }
  }
}

extension ModelRegistry {
  func composite(_ name: String) -> CompositeEntry? { composites.withLock { $0[name] } }
}
