/// Durations counted in the fixed buckets that metrics are exported with.
package struct DurationHistogram: Sendable, Equatable {
  /// Upper bounds in microseconds; one more bucket takes what is longer.
  package static let boundsMicroseconds = [
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
    500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
  ]

  /// Durations in each bucket, the unbounded one last.
  package private(set) var counts = [UInt64](repeating: 0, count: boundsMicroseconds.count + 1)
  package private(set) var sumNanoseconds: UInt64 = 0

  package init() {}

  package var count: UInt64 { counts.reduce(0, +) }

  package mutating func record(nanoseconds: UInt64) {
    var bucket = 0
    while bucket < Self.boundsMicroseconds.count,
      nanoseconds > UInt64(Self.boundsMicroseconds[bucket]) * 1000
    { bucket += 1 }
    counts[bucket] += 1
    sumNanoseconds &+= nanoseconds
  }

  /// The durations of both.
  package func merged(with other: DurationHistogram) -> DurationHistogram {
    var merged = self
    for index in counts.indices { merged.counts[index] += other.counts[index] }
    merged.sumNanoseconds &+= other.sumNanoseconds
    return merged
  }
}
