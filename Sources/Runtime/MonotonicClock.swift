import Glibc

/// Time since some fixed moment, for measuring spans.
package enum MonotonicClock {
  /// Nanoseconds on CLOCK_MONOTONIC.
  package static func nanoseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
