/// When something is tried again: doubling waits with jitter, of a time that the owner sets.
struct Retry: Sendable, Equatable {
  /// Milliseconds of the monotonic clock.
  private(set) var deadline: Int64 = .max
  /// Waits since the last success.
  private(set) var count = 0

  /// Sets the deadline a wait of three to five quarters of `minimum * 2^count` from now.
  mutating func wait(
    from now: DeliveryTime, minimum: Int64, maximum: Int64, _ random: inout Jitter
  ) {
    let doubled = minimum << Int64(min(count, 20))
    let wait = min(doubled, maximum)
    deadline = now.milliseconds + wait * 3 / 4 + random.next(below: wait / 2 + 1)
    count += 1
  }

  /// Sets the deadline itself.
  mutating func begin(at milliseconds: Int64) { deadline = milliseconds }

  mutating func succeed() {
    deadline = .max
    count = 0
  }

  mutating func stop() { deadline = .max }
}

/// A generator of small random numbers (xorshift64*): spreads waits, guards nothing.
struct Jitter: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed == 0 ? 1 : seed }

  mutating func next(below bound: Int64) -> Int64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    let value = (state &* 0x2545_F491_4F6C_DD1D) >> 1
    return Int64(value % UInt64(max(bound, 1)))
  }
}
