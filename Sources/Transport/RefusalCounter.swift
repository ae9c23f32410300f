internal import Synchronization

/// Counts what a server refused before anybody was asked to answer it, by reason.
package final class RefusalCounter: Sendable {
  package enum Reason: String, Sendable, CaseIterable {
    case tooManyConnections = "too_many_connections"
    case overMemory = "over_memory"
    case tooLarge = "too_large"
    case malformed
    /// The request took too long to arrive, or its answer too long to be read.
    case tooSlow = "too_slow"
    /// An encoding or expectation that is not supported.
    case unsupported
    /// No valid token.
    case unauthorized
  }

  private let counts = Mutex<[Reason: UInt64]>([:])

  package init() {}

  package func count(_ reason: Reason) { counts.withLock { $0[reason, default: 0] += 1 } }

  package var all: [Reason: UInt64] { counts.withLock { $0 } }
}
