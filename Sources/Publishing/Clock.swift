import Glibc

/// Seconds since 1970 by the machine's clock.
package func secondsSince1970() -> Int64 { Int64(time(nil)) }

/// Milliseconds of a clock that never jumps.
func monotonicMilliseconds() -> Int64 {
  var now = timespec()
  // The pointer is to a local variable of the type that the call fills.
  _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
  return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

/// Suspends the calling thread.
func sleep(milliseconds: Int) {
  var wanted = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
  var left = timespec()
  // The pointers are to two local variables; a signal leaves in `left` what is left to sleep.
  while unsafe nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
}
