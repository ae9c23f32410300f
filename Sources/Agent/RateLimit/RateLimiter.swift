import Serving
import Synchronization
import Transport

/// Refuses requests of users who send more than they may; the kernel says who they are.
///
/// Only POST counts: it is what costs, and what is asked about health must be answered.
final class RateLimiter: Sendable {
  private struct State {
    /// Nil while there is no limit.
    var buckets: TokenBuckets?
    var refused: UInt64 = 0
  }

  private let state: Mutex<State>

  init(_ limit: RateLimit?) { state = Mutex(State(buckets: limit.map { TokenBuckets($0) })) }

  /// Puts another limit into force, or none; everybody begins with a full bucket.
  func change(_ limit: RateLimit?) {
    state.withLock { state in
      guard state.buckets?.limit != limit else { return }
      state.buckets = limit.map { TokenBuckets($0) }
    }
  }

  var isLimiting: Bool { state.withLock { $0.buckets != nil } }

  /// Requests that were refused.
  var refused: UInt64 { state.withLock { $0.refused } }

  /// Answers a request that is one too many, and says whether it did.
  func refuse(
    _ request: HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) -> Bool {
    guard request.method == "POST", let milliseconds = pause(request.peer) else { return false }
    respond(
      .error(
        429, "Too many requests of user \(Self.user(request.peer)).",
        headers: [("Retry-After", "\((milliseconds + 999) / 1000)")]))
    return true
  }

  /// Counts a request, and gives the milliseconds that its sender must wait when it was one too many.
  func pause(_ peer: PeerCredentials?) -> Int? {
    let wait: Double? = state.withLock { state in
      let wait = state.buckets?.take(Self.user(peer), now: MonotonicClock.now())
      if wait != nil { state.refused += 1 }
      return wait
    }
    return wait.map { max(1, Int((min($0, 3600) * 1000).rounded(.up))) }
  }

  /// Whoever the kernel does not name shares the last number, which no user has.
  private static func user(_ peer: PeerCredentials?) -> UInt32 { peer?.userID ?? .max }
}
