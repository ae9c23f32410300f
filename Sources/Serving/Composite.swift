import Synchronization

/// A version that took part in an answer.
package struct PinnedVersion: Sendable, Equatable {
  package var model: String
  package var version: Int64

  package init(model: String, version: Int64) {
    self.model = model
    self.version = version
  }

  /// `model@version`, as it is written everywhere.
  package var text: String { "\(model)@\(version)" }
}

/// A name that versions of models answer in turn.
///
/// A request holds one version of each from its start to its end, all taken at one moment.
package protocol Composite: Sendable {
  /// Models whose versions a request holds, each once.
  var members: [String] { get }
  /// Readies what answers with these versions, one of each member in the members' order.
  ///
  /// Completes at once when that was done before, and on a compute thread otherwise.
  func bind(
    _ leases: [VersionLease],
    _ completion: @escaping @Sendable (Result<any BoundComposite, ServingError>) -> Void)
  /// Why versions like these, one of each member in the members' order, cannot answer it together;
  /// nil when they can, or when only memory is short.
  func misfit(_ descriptions: [VersionDescription]) -> String?
}

/// A composite that was readied for one version of each of its members.
package protocol BoundComposite: Sendable {
  var description: VersionDescription { get }
  /// What is charged for it besides its members.
  var memory: VersionMemory { get }
  /// Answers a request with the members' versions in `leases`.
  func run(
    _ leases: [VersionLease], _ request: InferenceRequest,
    _ completion: @escaping @Sendable (Result<InferenceResponse, ServingError>) -> Void)
}

/// How a composite is doing.
package struct CompositeStatus: Sendable, Equatable {
  /// The versions that it was readied for last.
  package var pinned: [PinnedVersion] = []
  package var memory = VersionMemory()
  /// Why the versions that serve cannot answer it; nil when they can, or none serve.
  package var failure: LoadFailure?
  package var isBound = false
}

/// A composite under its name, and what is counted of it.
final class CompositeEntry: Sendable {
  /// The version that composites have: what answers changes with their members.
  static let version: Int64 = 1

  let name: String
  let composite: any Composite
  let metrics = VersionMetrics()
  private let state = Mutex(CompositeStatus())
  private let bound = Mutex<RequestBytes?>(nil)

  init(_ name: String, _ composite: any Composite) {
    self.name = name
    self.composite = composite
  }

  var status: CompositeStatus { state.withLock { $0 } }

  /// What bounds its requests; nil before it was readied.
  var requestBytes: RequestBytes? { bound.withLock { $0 } }

  /// Notes what came of readying it for `leases`.
  ///
  /// - Parameter rowsMaximum: of one request.
  func note(
    _ leases: [VersionLease], _ result: Result<any BoundComposite, ServingError>, rowsMaximum: Int
  ) {
    if case .success(let made) = result {
      let bytes = RequestBytes(made.description.inputs, rowsMaximum: rowsMaximum)
      bound.withLock { $0 = bytes }
    }
    state.withLock { state in
      switch result {
      case .success(let bound):
        state.pinned = leases.map(\.pinned)
        state.memory = bound.memory
        state.failure = nil
        state.isBound = true
      case .failure(.misfit(_, let reason)):
        state = CompositeStatus(failure: .misfit(reason))
      case .failure(.overMemory(let needed, let available)):
        state = CompositeStatus(
          failure: .overBudget(needed: needed, available: available, budget: available))
      case .failure: break
      }
    }
  }

  /// - Parameter hasMembers: whether a version of each member serves.
  func versionStatus(hasMembers: Bool) -> VersionStatus {
    let composite = status
    let state: VersionState =
      switch (composite.isBound, composite.failure) {
      case (true, _): hasMembers ? .serving : .retired
      case (false, nil): .staged
      case (false, _): .refused
      }
    var status = VersionStatus(
      model: name, version: Self.version, state: state, cause: composite.failure,
      memory: composite.memory)
    metrics.fill(&status)
    return status
  }
}

/// What a request to a composite holds.
struct CompositeLease: Sendable {
  var entry: CompositeEntry
  var bound: any BoundComposite
  var leases: [VersionLease]
}

extension ModelRegistry {
  /// Holds the version of each of `models` that serves now, all of one moment; waits for those that
  /// are being switched.
  func lease(
    together models: [String], _ terms: RequestTerms,
    _ completion: @escaping @Sendable (Result<[VersionLease], ServingError>) -> Void
  ) {
    enum Answer: Sendable {
      case now(Result<[VersionLease], ServingError>)
      case after(String)
    }
    let answer: Answer = state.withLock { state in
      guard !state.isShuttingDown else { return .now(.failure(.shuttingDown)) }
      var leases: [VersionLease] = []
      for model in models {
        guard let entry = state.models[model] else {
          return .now(.failure(.modelNotFound(model: model)))
        }
        if entry.isSwitching { return .after(model) }
        switch Self.resolve(entry, .latest, terms.affinity) {
        case .success(let lease): leases.append(lease)
        case .failure(let error): return .now(.failure(error))
        }
      }
      return .now(.success(leases))
    }
    switch answer {
    case .now(let result): completion(result)
    case .after(let model):
      // Its switch is over when this is answered, or the request's patience is.
      let bounded = limits.boundWait(terms)
      lease(model, .latest, bounded) { [self] result in
        switch result {
        case .success: lease(together: models, bounded, completion)
        case .failure(let error): completion(.failure(error))
        }
      }
    }
  }
}
