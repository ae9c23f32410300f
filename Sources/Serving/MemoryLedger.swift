import Synchronization

/// What a charge pays for.
package enum MemoryKind: String, Sendable, CaseIterable {
  case weightsAnonymous = "weights_anonymous"
  case weightsFileBacked = "weights_file_backed"
  case arena, scratch
  /// Answers that are kept.
  case cache
  case deliveryBuffers = "delivery_buffers"
  case connectionBuffers = "connection_buffers"
  /// Golden vectors while a version is proven; given back before it serves.
  case loadBuffers = "load_buffers"
}

/// One position of a charge.
package struct MemoryItem: Sendable, Equatable {
  package var kind: MemoryKind
  package var bytes: Int

  package init(_ kind: MemoryKind, _ bytes: Int) {
    self.kind = kind
    self.bytes = bytes
  }
}

/// The budget does not hold a charge; all numbers in bytes.
package struct MemoryRefusal: Error, Sendable, Equatable {
  package var needed: Int
  package var available: Int
  package var budget: Int

  package init(needed: Int, available: Int, budget: Int) {
    self.needed = needed
    self.available = available
    self.budget = budget
  }
}

/// The bytes granted to the agent, and who holds them.
///
/// Everything whose size depends on models, clients or deliveries is charged here before it is
/// allocated, and given back exactly once, when its memory is gone. Not in it are what the agent
/// takes whatever it serves: code pages, thread stacks, the allocator's own slack, the tables of a
/// graph while it is imported (bounded by the importer), and the clean pages of a model file that
/// is mapped while it is imported, which the kernel takes back at will.
package final class MemoryLedger: Sendable {
  /// Bytes granted; `Int.max` when no budget is set.
  package let budget: Int

  private struct State {
    var charged = 0
    var peak = 0
    var refusals: UInt64 = 0
    var charges: [UInt64: (name: String, items: [MemoryItem])] = [:]
    var nextID: UInt64 = 0
  }

  private let state = Mutex(State())

  package init(budget: Int? = nil) { self.budget = budget ?? Int.max }

  /// Grants all of `items` or nothing.
  ///
  /// - Parameter name: who is charged, for instance `digits@2`.
  /// - Precondition: no item is negative.
  package func charge(_ name: String, _ items: [MemoryItem]) throws(MemoryRefusal) -> MemoryCharge {
    var bytes = 0
    for item in items {
      precondition(item.bytes >= 0)
      let (sum, overflow) = bytes.addingReportingOverflow(item.bytes)
      bytes = overflow ? Int.max : sum
    }
    let granted: Result<UInt64, MemoryRefusal> = state.withLock { state in
      let available = budget - state.charged
      guard bytes <= available, bytes < Int.max else {
        state.refusals += 1
        return .failure(MemoryRefusal(needed: bytes, available: available, budget: budget))
      }
      state.charged += bytes
      state.peak = max(state.peak, state.charged)
      state.nextID += 1
      state.charges[state.nextID] = (name, items)
      return .success(state.nextID)
    }
    return MemoryCharge(ledger: self, id: try granted.get())
  }

  /// A charge of no bytes, to be resized.
  func open(_ name: String, _ kind: MemoryKind) -> MemoryCharge {
    let id = state.withLock { state in
      state.nextID += 1
      state.charges[state.nextID] = (name, [MemoryItem(kind, 0)])
      return state.nextID
    }
    return MemoryCharge(ledger: self, id: id)
  }

  fileprivate func release(_ id: UInt64) {
    state.withLock { state in
      guard let charge = state.charges.removeValue(forKey: id) else { return }
      state.charged -= charge.items.reduce(0) { $0 + $1.bytes }
    }
  }

  fileprivate func release(_ kind: MemoryKind, of id: UInt64) {
    state.withLock { state in
      guard let items = state.charges[id]?.items else { return }
      state.charges[id]?.items = items.filter { $0.kind != kind }
      state.charged -= items.reduce(0) { $0 + ($1.kind == kind ? $1.bytes : 0) }
    }
  }

  /// Turns bytes of one kind into as many of another.
  fileprivate func turn(
    _ bytes: Int, of kind: MemoryKind, into other: MemoryKind, _ id: UInt64
  ) {
    state.withLock { state in
      guard var items = state.charges[id]?.items,
        let from = items.firstIndex(where: { $0.kind == kind && $0.bytes >= bytes })
      else { return }
      items[from].bytes -= bytes
      if let to = items.firstIndex(where: { $0.kind == other }) {
        items[to].bytes += bytes
      } else {
        items.append(MemoryItem(other, bytes))
      }
      state.charges[id]?.items = items
    }
  }

  /// Sets the one item of a charge to `bytes`, when what it grows by is there.
  fileprivate func resize(_ id: UInt64, to bytes: Int) -> MemoryRefusal? {
    state.withLock { state in
      guard let item = state.charges[id]?.items.first else { return nil }
      let growth = bytes - item.bytes
      let available = budget - state.charged
      guard growth <= available else {
        state.refusals += 1
        return MemoryRefusal(needed: growth, available: available, budget: budget)
      }
      state.charges[id]?.items = [MemoryItem(item.kind, bytes)]
      state.charged += growth
      state.peak = max(state.peak, state.charged)
      return nil
    }
  }

  package var chargedBytes: Int { state.withLock { $0.charged } }
  package var availableBytes: Int { state.withLock { budget - $0.charged } }

  /// The ledger at one instant.
  package func snapshot() -> MemorySnapshot {
    state.withLock { state in
      let charges = state.charges.sorted { $0.key < $1.key }.map {
        MemorySnapshot.Charge(name: $0.value.name, items: $0.value.items)
      }
      return MemorySnapshot(
        budgetBytes: budget, chargedBytes: state.charged, peakBytes: state.peak,
        refusals: state.refusals, charges: charges)
    }
  }
}

/// The ledger at one instant.
package struct MemorySnapshot: Sendable, Equatable {
  /// Who holds how much of what.
  package struct Charge: Sendable, Equatable {
    package var name: String
    package var items: [MemoryItem]
  }

  package var budgetBytes: Int
  package var chargedBytes: Int
  /// The most that was ever charged at once.
  package var peakBytes: Int
  /// Charges that the budget did not hold.
  package var refusals: UInt64
  /// In the order they were granted.
  package var charges: [Charge]
}

/// Bytes held until `release` or, at the latest, the end of this object.
package final class MemoryCharge: Sendable {
  private let ledger: MemoryLedger
  private let id: UInt64

  fileprivate init(ledger: MemoryLedger, id: UInt64) {
    self.ledger = ledger
    self.id = id
  }

  /// Gives the bytes back; further calls change nothing.
  package func release() { ledger.release(id) }

  /// Gives back the bytes of one kind; the others stay.
  package func release(_ kind: MemoryKind) { ledger.release(kind, of: id) }

  /// Notes that so many bytes of one kind, which the charge has, are of another.
  func turn(_ bytes: Int, of kind: MemoryKind, into other: MemoryKind) {
    ledger.turn(bytes, of: kind, into: other, id)
  }

  /// Makes a charge of one item larger or smaller.
  ///
  /// - Returns: why it cannot grow; nil when it did.
  func resize(to bytes: Int) -> MemoryRefusal? { ledger.resize(id, to: bytes) }

  deinit { release() }
}
