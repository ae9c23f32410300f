import Testing

@testable import Agent

@Suite("Token buckets")
struct TokenBucketTests {
  private let second: UInt64 = 1_000_000_000

  @Test("a burst passes, the next waits, and time brings new tokens")
  func burst() {
    var buckets = TokenBuckets(RateLimit(requestsPerSecond: 10, burst: 3))
    for _ in 0..<3 { #expect(buckets.take(1, now: 5 * second) == nil) }
    let wait = buckets.take(1, now: 5 * second)
    #expect(abs((wait ?? 0) - 0.1) < 1e-9)
    #expect(buckets.take(1, now: 5 * second + second / 10) == nil)
    #expect(buckets.take(1, now: 5 * second + second / 10) != nil)
    // However long the pause, no more than the burst.
    for _ in 0..<3 { #expect(buckets.take(1, now: 500 * second) == nil) }
    #expect(buckets.take(1, now: 500 * second) != nil)
  }

  @Test("users do not touch each other's tokens")
  func users() {
    var buckets = TokenBuckets(RateLimit(requestsPerSecond: 1, burst: 1))
    #expect(buckets.take(1, now: 0) == nil)
    #expect(buckets.take(1, now: 0) != nil)
    #expect(buckets.take(2, now: 0) == nil)
  }

  @Test("a clock that stands still or runs back gives nothing away")
  func clock() {
    var buckets = TokenBuckets(RateLimit(requestsPerSecond: 1, burst: 1))
    #expect(buckets.take(1, now: 10 * second) == nil)
    #expect(buckets.take(1, now: 2 * second) != nil)
    #expect(buckets.take(1, now: 10 * second) != nil)
    #expect(buckets.take(1, now: 11 * second) == nil)
  }

  @Test("the number of users is bounded, and users at rest make room")
  func bound() {
    var buckets = TokenBuckets(RateLimit(requestsPerSecond: 1, burst: 1), usersMaximum: 2)
    #expect(buckets.take(1, now: 0) == nil)
    #expect(buckets.take(2, now: 0) == nil)
    #expect(buckets.take(3, now: 0) != nil)
    #expect(buckets.take(3, now: 2 * second) == nil)
  }
}
