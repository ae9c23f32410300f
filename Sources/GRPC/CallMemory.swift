internal import Synchronization
package import Transport

/// What one call has taken of the budget, given back with the last reference to it.
package final class CallMemory: Sendable {
  private let memory: (any ConnectionMemory)?
  private let taken = Atomic<Int>(0)

  /// - Parameter memory: nil when nobody counts.
  package init(_ memory: (any ConnectionMemory)?) { self.memory = memory }

  deinit {
    let bytes = taken.load(ordering: .relaxed)
    if bytes > 0 { memory?.giveBack(bytes) }
  }

  /// Takes `bytes` more, or nothing and says so.
  package func take(_ bytes: Int) throws(GRPCStatus) {
    guard let memory, bytes > 0 else { return }
    guard memory.take(bytes) else {
      throw GRPCStatus(
        .resourceExhausted, "The memory budget does not hold the request.", retryMilliseconds: 1000)
    }
    taken.add(bytes, ordering: .relaxed)
  }
}
