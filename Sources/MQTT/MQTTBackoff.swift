/// Full-jitter exponential back-off: the n-th wait is uniform in 0 ... min(maximum, minimum * 2^n).
///
/// Source: Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015. The draw is kept
/// above half the minimum, so that a broker that accepts and closes cannot be met in a tight loop.
package struct MQTTBackoff: Sendable, Equatable {
  package let minimumMilliseconds: Int
  package let maximumMilliseconds: Int
  /// Waits drawn since the last success.
  package private(set) var attempts = 0

  package init(minimumMilliseconds: Int = 1_000, maximumMilliseconds: Int = 300_000) {
    precondition(minimumMilliseconds > 0 && maximumMilliseconds >= minimumMilliseconds)
    self.minimumMilliseconds = minimumMilliseconds
    self.maximumMilliseconds = maximumMilliseconds
  }

  /// Draws the next wait, in milliseconds.
  package mutating func next(using random: inout some RandomNumberGenerator) -> Int {
    var ceiling = minimumMilliseconds
    for _ in 0..<attempts where ceiling < maximumMilliseconds {
      let doubled = ceiling.multipliedReportingOverflow(by: 2)
      ceiling = doubled.overflow ? maximumMilliseconds : doubled.partialValue
    }
    ceiling = min(ceiling, maximumMilliseconds)
    attempts = min(attempts + 1, 64)
    return Int.random(in: (minimumMilliseconds + 1) / 2...ceiling, using: &random)
  }

  /// Starts again from the minimum, after a connection that proved useful.
  package mutating func reset() { attempts = 0 }
}
