import Glibc

/// The signals that the agent acts on, taken by one thread that waits for them.
package enum Signals {
  /// Keeps SIGTERM, SIGINT and SIGHUP from every thread that is started later, and ignores SIGPIPE.
  ///
  /// Called before any other thread is started.
  package static func block() {
    var set = awaited()
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Waits for one of the signals, and tells which; nil when the time is over.
  ///
  /// - Parameter milliseconds: nil to wait without a bound.
  package static func wait(milliseconds: Int? = nil) -> Int32? {
    var set = awaited()
    guard let milliseconds else {
      let number = unsafe sigwaitinfo(&set, nil)
      return number > 0 ? number : nil
    }
    var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    let number = unsafe sigtimedwait(&set, nil, &time)
    return number > 0 ? number : nil
  }

  private static func awaited() -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, number) }
    return set
  }
}
