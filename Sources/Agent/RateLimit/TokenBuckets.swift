/// One bucket of tokens for each user: a request takes one, and time brings new ones.
///
/// A pure value of the times that it is given, in nanoseconds.
struct TokenBuckets {
  private struct Bucket {
    var tokens: Double
    var updated: UInt64
  }

  let limit: RateLimit
  private let usersMaximum: Int
  private var buckets: [UInt32: Bucket] = [:]

  /// - Parameter usersMaximum: buckets that are kept; a user beyond waits for a place.
  init(_ limit: RateLimit, usersMaximum: Int = AgentLimits.rateLimitedUsersMaximum) {
    self.limit = limit
    self.usersMaximum = usersMaximum
  }

  /// Takes a token of `user`; nil when there was one, and otherwise the seconds until there is.
  mutating func take(_ user: UInt32, now: UInt64) -> Double? {
    if buckets[user] == nil, buckets.count >= usersMaximum { forgetFull(now) }
    // With every place taken by users who wait, one more must wait as well.
    guard buckets[user] != nil || buckets.count < usersMaximum else {
      return 1 / limit.requestsPerSecond
    }
    var bucket = buckets[user] ?? Bucket(tokens: limit.burst, updated: now)
    bucket.tokens = tokens(bucket, now)
    bucket.updated = max(now, bucket.updated)
    defer { buckets[user] = bucket }
    guard bucket.tokens >= 1 else { return (1 - bucket.tokens) / limit.requestsPerSecond }
    bucket.tokens -= 1
    return nil
  }

  private func tokens(_ bucket: Bucket, _ now: UInt64) -> Double {
    let seconds = now > bucket.updated ? Double(now - bucket.updated) / 1e9 : 0
    return min(limit.burst, bucket.tokens + seconds * limit.requestsPerSecond)
  }

  /// A full bucket is the same as none.
  private mutating func forgetFull(_ now: UInt64) {
    buckets = buckets.filter { tokens($0.value, now) < limit.burst }
  }
}
