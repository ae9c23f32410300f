import Glibc
import Serving

/// Lets ^C and SIGTERM end the demonstration between its steps, so that it can clean up.
enum DemoInterrupt {
  /// Sleeps, and throws when a signal that ends the process has come.
  ///
  /// - Precondition: `Signals.block()` was called before any thread was started.
  static func pause(milliseconds: Int) throws {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGINT)
    unsafe sigaddset(&signals, SIGTERM)
    var time = timespec(
      tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    if unsafe sigtimedwait(&signals, nil, &time) > 0 {
      throw CommandFailure(.failure, "interrupted")
    }
  }

  /// Waits until `condition` gives a value; throws `failure` when it has not in time.
  static func wait<Value>(
    seconds: Int, orThrow failure: @autoclosure () -> CommandFailure,
    until condition: () throws -> Value?
  ) throws -> Value {
    let deadline = MonotonicClock.now() + UInt64(seconds) * 1_000_000_000
    while true {
      if let value = try condition() { return value }
      guard MonotonicClock.now() < deadline else { throw failure() }
      try pause(milliseconds: 10)
    }
  }
}
