import Synchronization

/// Bytes that many small holders take and give back, on one charge.
///
/// A part can be reserved, so that the first holders never find the budget spent; what goes beyond
/// it is charged as it comes.
package final class MemoryPool: Sendable {
  private struct State {
    var taken = 0
    var reserved = 0
  }

  private let charge: MemoryCharge
  private let state = Mutex(State())

  package init(_ ledger: MemoryLedger, name: String, _ kind: MemoryKind) {
    charge = ledger.open(name, kind)
  }

  /// Charges at least `bytes` from now on, whether they are taken or not.
  ///
  /// - Returns: why the budget does not hold them; nil when it does.
  package func reserve(_ bytes: Int) -> MemoryRefusal? {
    state.withLock { state in
      if let refusal = charge.resize(to: max(state.taken, bytes)) { return refusal }
      state.reserved = bytes
      return nil
    }
  }

  /// Takes `bytes`, or says why not; nil when they were taken.
  ///
  /// - Precondition: `bytes` is not negative.
  package func take(_ bytes: Int) -> MemoryRefusal? {
    precondition(bytes >= 0)
    return state.withLock { state in
      let (sum, overflow) = state.taken.addingReportingOverflow(bytes)
      let wanted = overflow ? Int.max : sum
      if wanted > state.reserved, let refusal = charge.resize(to: wanted) { return refusal }
      state.taken = wanted
      return nil
    }
  }

  /// Gives back what was taken.
  package func giveBack(_ bytes: Int) {
    state.withLock { state in
      let before = state.taken
      state.taken -= bytes
      // Shrinking is never refused.
      if before > state.reserved { _ = charge.resize(to: max(state.taken, state.reserved)) }
    }
  }

  /// Gives back everything, for good.
  package func close() { charge.release() }
}
