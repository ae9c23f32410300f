import KernelInterface
package import Serving
import Synchronization
import Tensors

/// A declared pipeline, which is readied for whatever versions of its models serve.
package final class Pipeline: Composite {
  package let name: String
  package let declaration: PipelineDeclaration
  package let members: [String]
  private let manager: ModelManager
  private let table: KernelTable
  private let queue: PipelineQueue
  private let state = Mutex(State())

  private typealias Completion =
    @Sendable (Result<any BoundComposite, ServingError>) -> Void

  private struct State {
    /// By the versions that they are for, the latest last.
    var bindings: [(key: [UInt64], result: Result<any BoundComposite, ServingError>)] = []
    /// Who waits for one that is being made.
    var underWay: [[UInt64]: [Completion]] = [:]
    var imageMemory: ImageMemory?
  }

  init(
    _ name: String, _ declaration: PipelineDeclaration, _ manager: ModelManager,
    _ table: KernelTable
  ) {
    self.name = name
    self.declaration = declaration
    self.manager = manager
    self.table = table
    members = declaration.models
    queue = PipelineQueue(name: name, service: manager.service)
  }

  package func bind(
    _ leases: [VersionLease],
    _ completion: @escaping @Sendable (Result<any BoundComposite, ServingError>) -> Void
  ) {
    let key = leases.map(\.identity)
    enum Answer {
      case now(Result<any BoundComposite, ServingError>)
      case later(isFirst: Bool)
    }
    let answer: Answer = state.withLock { state in
      if let known = state.bindings.first(where: { $0.key == key }) { return .now(known.result) }
      let others = state.underWay[key]
      guard others?.count ?? 0 < manager.service.queueDepthMaximum else {
        return .now(
          .failure(
            .queueFull(
              model: name, limit: manager.service.queueDepthMaximum, retryMilliseconds: 1000)))
      }
      state.underWay[key, default: []].append(completion)
      return .later(isFirst: others == nil)
    }
    switch answer {
    case .now(let result): completion(result)
    case .later(isFirst: true): manager.service.compute { [self] in make(key, leases) }
    case .later: break
    }
  }

  package func misfit(_ descriptions: [VersionDescription]) -> String? {
    do throws(ServingError) {
      try PipelineBinding.check(
        declaration, members, descriptions, front: try front(descriptions), table: table, name: name)
    } catch {
      if case .misfit(_, let reason) = error { return reason }
    }
    return nil
  }

  private func make(_ key: [UInt64], _ leases: [VersionLease]) {
    let result = Result<any BoundComposite, ServingError> { () throws(ServingError) in
      try bound(leases.map(\.description))
    }
    let waiting = state.withLock { state in
      // Memory may be there the next time.
      var isLasting = true
      if case .failure(.overMemory) = result { isLasting = false }
      if isLasting { state.bindings.append((key, result)) }
      if state.bindings.count > PipelineLimits.bindingsMaximum { state.bindings.removeFirst() }
      return state.underWay.removeValue(forKey: key) ?? []
    }
    if case .failure(.misfit(_, let reason)) = result { manager.service.tellRefused(name, reason) }
    for completion in waiting { completion(result) }
  }

  private func bound(
    _ descriptions: [VersionDescription]
  ) throws(ServingError) -> any BoundComposite {
    try PipelineBinding(
      declaration, members, descriptions, front: try front(descriptions), table: table,
      manager: manager, queue: queue)
  }

  private func front(
    _ descriptions: [VersionDescription]
  ) throws(ServingError) -> (any FrontEnd)? {
    switch declaration.steps.first {
    case .image(let image)?: return try imageFront(image, descriptions[0])
    case .audio(let audio)?:
      do throws(PipelineError) {
        return try AudioFront(audio, table: table)
      } catch {
        throw .misfit(model: name, reason: error.sentence)
      }
    default: return nil
    }
  }

  /// - Parameter model: the first model, which is the first member.
  private func imageFront(
    _ image: ImageStep, _ model: VersionDescription
  ) throws(ServingError) -> ImageFront {
    let memory: ImageMemory
    do throws(MemoryRefusal) {
      memory = try imageMemory(image)
    } catch {
      throw .overMemory(needed: error.needed, available: error.available)
    }
    do throws(PipelineError) {
      return try ImageFront(image, for: model, memory)
    } catch {
      throw .misfit(model: name, reason: error.sentence)
    }
  }

  /// The memory that pictures are decoded in, the same whatever versions serve.
  private func imageMemory(_ step: ImageStep) throws(MemoryRefusal) -> ImageMemory {
    try state.withLock { (state) throws(MemoryRefusal) in
      if let memory = state.imageMemory { return memory }
      let memory = try ImageMemory(name, step, manager.ledger)
      state.imageMemory = memory
      return memory
    }
  }
}
