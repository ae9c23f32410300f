import Serving
import Synchronization

/// How the attempts to bring versions into service ended, since the agent started.
final class SwitchCounters: Sendable {
  struct Key: Hashable {
    var model: String
    /// `ok`, `restored`, `lost`, or the code of a refusal.
    var result: String
  }

  private let counts = Mutex<[Key: UInt64]>([:])
  /// Canaries that were taken back, by model and cause.
  private let rollbackCounts = Mutex<[Key: UInt64]>([:])

  func count(_ event: ServingEvent) {
    let key: Key
    switch event {
    case .serving(let model, _, _, _): key = Key(model: model, result: "ok")
    case .refused(let model, _, let cause): key = Key(model: model, result: cause.code)
    case .restored(let model, _): key = Key(model: model, result: "restored")
    case .lost(let model, _, _): key = Key(model: model, result: "lost")
    case .canaryReverted(let model, _, let cause):
      let key = Key(model: model, result: cause.code)
      return rollbackCounts.withLock { $0[key, default: 0] += 1 }
    case .preparing, .drainFirst, .weightsDamaged, .retired: return
    }
    counts.withLock { $0[key, default: 0] += 1 }
  }

  /// Sorted by model, then result.
  var all: [(key: Key, count: UInt64)] { Self.sorted(counts.withLock { $0 }) }

  /// Sorted by model, then cause.
  var rollbacks: [(key: Key, count: UInt64)] {
    Self.sorted(rollbackCounts.withLock { $0 })
  }

  private static func sorted(
    _ counts: [Key: UInt64]
  ) -> [(key: Key, count: UInt64)] {
    counts.map { (key: $0.key, count: $0.value) }
      .sorted { ($0.key.model, $0.key.result) < ($1.key.model, $1.key.result) }
  }
}
