/// Durations counted in logarithmic buckets of fixed number: eight to each power of two.
///
/// A quantile is the upper bound of its bucket, at most 12.5 % above the true value.
package struct LatencyHistogram: Sendable {
  /// Buckets to each power of two.
  private static let subdivisions = 8
  /// Durations from 2^40 ns (18 minutes) on share the last bucket.
  private static let bucketCount = 38 * subdivisions

  private var counts = [UInt64](repeating: 0, count: bucketCount)
  package private(set) var total: UInt64 = 0

  package init() {}

  package mutating func record(nanoseconds: UInt64) {
    counts[Self.bucket(of: nanoseconds)] += 1
    total += 1
  }

  /// How many durations do not exceed each of `bounds`, which rise; a bound within a bucket leaves
  /// the bucket out.
  package func cumulative(upTo bounds: [UInt64]) -> [UInt64] {
    var sums: [UInt64] = []
    var (bucket, sum) = (0, UInt64(0))
    for bound in bounds {
      while bucket < counts.count, Self.upperBound(of: bucket) <= bound {
        sum += counts[bucket]
        bucket += 1
      }
      sums.append(sum)
    }
    return sums
  }

  /// Takes in the durations of another.
  package mutating func add(_ other: LatencyHistogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    total += other.total
  }

  /// The duration in nanoseconds that a share of `quantile` (0 to 1) does not exceed; 0 when
  /// nothing was recorded.
  package func quantile(_ quantile: Double) -> UInt64 {
    guard total > 0 else { return 0 }
    let rank = max(1, UInt64((quantile * Double(total)).rounded(.up)))
    var seen: UInt64 = 0
    for (bucket, count) in counts.enumerated() {
      seen += count
      if seen >= rank { return Self.upperBound(of: bucket) }
    }
    return Self.upperBound(of: Self.bucketCount - 1)
  }

  /// Values below 8 have a bucket each; above, the three bits after the leading one choose within
  /// the octave.
  private static func bucket(of nanoseconds: UInt64) -> Int {
    guard nanoseconds >= UInt64(subdivisions) else { return Int(nanoseconds) }
    let exponent = 63 - nanoseconds.leadingZeroBitCount
    let fraction = Int((nanoseconds >> (exponent - 3)) & 7)
    return min((exponent - 2) * subdivisions + fraction, bucketCount - 1)
  }

  private static func upperBound(of bucket: Int) -> UInt64 {
    guard bucket >= subdivisions else { return UInt64(bucket) }
    let exponent = bucket / subdivisions + 2
    let fraction = UInt64(bucket % subdivisions)
    return ((8 + fraction + 1) << (exponent - 3)) - 1
  }
}
