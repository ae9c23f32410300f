import Serving
import Synchronization
import Transport

/// Refuses requests of users who send more than they may; the kernel says who they are.
///
/// Only POST counts: it is what costs, and what is asked about health must be answered.
final class RateLimiter: Sendable {
  private struct State {
    var buckets: TokenBuckets
    var refused: UInt64 = 0
  }

  private let state: Mutex<State>

  init(_ limit: RateLimit) { state = Mutex(State(buckets: TokenBuckets(limit))) }

  /// Requests that were refused.
  var refused: UInt64 { state.withLock { $0.refused } }

  /// Answers a request that is one too many, and says whether it did.
  func refuse(
    _ request: HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) -> Bool {
    guard request.method == "POST" else { return false }
    // Whoever the kernel does not name shares the last number, which no user has.
    let user = request.peer?.userID ?? .max
    let wait: Double? = state.withLock { state in
      let wait = state.buckets.take(user, now: MonotonicClock.now())
      if wait != nil { state.refused += 1 }
      return wait
    }
    guard let wait else { return false }
    let seconds = Int(min(wait, 3600).rounded(.up))
    respond(
      .error(
        429, "Too many requests of user \(user).",
        headers: [("Retry-After", "\(max(1, seconds))")]))
    return true
  }
}
