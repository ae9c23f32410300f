import Synchronization

/// What the serving side is made with.
package struct ServingConfiguration: Sendable {
  /// Bytes granted to the agent; nil for no budget.
  package var budgetBytes: Int?
  /// Compute threads.
  package var threads: Int
  package var limits: ServingLimits
  /// Told of every change, on the thread that made it.
  package var onEvent: @Sendable (ServingEvent) -> Void

  package init(
    budgetBytes: Int? = nil, threads: Int = 1, limits: ServingLimits = ServingLimits(),
    onEvent: @escaping @Sendable (ServingEvent) -> Void = { _ in }
  ) {
    self.budgetBytes = budgetBytes
    self.threads = threads
    self.limits = limits
    self.onEvent = onEvent
  }
}

/// Brings versions into service and takes them out, one at a time, on a thread of low priority.
package final class ModelManager: Sendable {
  package let ledger: MemoryLedger
  package let service: InferenceService
  let registry: ModelRegistry
  let loader: Executor

  package init(_ configuration: ServingConfiguration) {
    ledger = MemoryLedger(budget: configuration.budgetBytes)
    registry = ModelRegistry(
      limits: configuration.limits, threads: configuration.threads, onEvent: configuration.onEvent)
    service = InferenceService(registry)
    loader = Executor(
      name: "loader", threads: 1, stackBytes: configuration.limits.loaderStackBytes,
      niceness: configuration.limits.loaderNiceness)
  }

  /// Makes `model` known before any version of it is.
  package func declare(_ model: String) { registry.update(model) { _ in } }

  /// Brings a version into service in place of those that serve its model now.
  ///
  /// import → plan → charge → prepare → prove → swap → drain. When old and new do not fit together but the new alone
  /// does, the old is drained and unloaded first, and loaded again when the new fails. A version that serves already
  /// from the same path is left alone.
  /// - Parameter completion: called once, on the loader thread.
  package func load(
    _ source: VersionSource,
    completion: @escaping @Sendable (Result<Void, LoadFailure>) -> Void
  ) {
    completion(.failure(.shuttingDown))
  }

  /// Takes a version out of service; its memory goes with its last request.
  package func unload(model: String, version: Int64) {
  }

  /// Points `label` at `version`, which must serve.
  package func setLabel(
    _ label: String, of model: String, to version: Int64
  ) throws(ServingError) {
    throw .modelNotFound(model: model)
  }

  /// Refuses new requests, waits for those under way at most `drainMilliseconds`, and unloads everything.
  ///
  /// - Returns: whether everything ended in time.
  @discardableResult
  package func shutdown(drainMilliseconds: Int) -> Bool { true }
}
