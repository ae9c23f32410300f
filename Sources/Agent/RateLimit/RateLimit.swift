/// How many requests each user may send.
package struct RateLimit: Sendable, Equatable {
  package var requestsPerSecond: Double
  /// Requests that may come at once after a pause; at least 1.
  package var burst: Double

  package init(requestsPerSecond: Double, burst: Double) {
    self.requestsPerSecond = requestsPerSecond
    self.burst = burst
  }
}
