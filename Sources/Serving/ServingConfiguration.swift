package import KernelInterface

/// What the serving side is made with.
package struct ServingConfiguration: Sendable {
  /// The kernels that every model is planned for.
  package var table: KernelTable
  /// Bytes granted to the agent; nil for no budget.
  package var budgetBytes: Int?
  /// Threads that work on one inference at most, and inferences that run at the same time.
  package var threads: Int
  package var limits: ServingLimits
  /// Where packed weights are kept in files; nil for nowhere.
  package var weightsCache: WeightsCache?
  /// Why there is no cache.
  package var weightsRefusal = WeightsRefusal.off
  /// Told of every change, on the thread that made it.
  package var onEvent: @Sendable (ServingEvent) -> Void
  /// Told of requests that ended; nil for nobody.
  package var sampler: RequestSampler?

  package init(
    table: KernelTable, budgetBytes: Int? = nil, threads: Int = 1,
    limits: ServingLimits = ServingLimits(), sampler: RequestSampler? = nil,
    onEvent: @escaping @Sendable (ServingEvent) -> Void = { _ in }
  ) {
    self.table = table
    self.budgetBytes = budgetBytes
    self.threads = threads
    self.limits = limits
    self.sampler = sampler
    self.onEvent = onEvent
  }
}
