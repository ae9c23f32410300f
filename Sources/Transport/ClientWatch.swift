internal import Synchronization

/// Tells those who work on a request when its client has gone, and waits for no answer.
package final class ClientWatch: Sendable {
  private struct State {
    var isGone = false
    var handlers: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())
  /// Tells connections apart while the process lives.
  package let connection: UInt64

  package init(connection: UInt64 = 0) { self.connection = connection }

  private static let connections = Atomic<UInt64>(0)

  /// A number for one more connection.
  package static func nextConnection() -> UInt64 {
    connections.add(1, ordering: .relaxed).newValue
  }

  /// Calls `body` once when the client goes, at once when it has gone, and never when it was
  /// answered before.
  package func whenGone(_ body: @escaping @Sendable () -> Void) {
    let isGone = state.withLock { state in
      if !state.isGone { state.handlers.append(body) }
      return state.isGone
    }
    if isGone { body() }
  }

  /// The client has gone.
  package func leave() {
    for body in take(isGone: true) { body() }
  }

  /// The request was answered; the next one of the client may be watched.
  package func forget() { _ = take(isGone: false) }

  private func take(isGone: Bool) -> [@Sendable () -> Void] {
    state.withLock { state in
      defer {
        state.handlers = []
        if isGone { state.isGone = true }
      }
      return state.handlers
    }
  }
}
