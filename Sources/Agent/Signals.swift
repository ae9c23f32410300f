import Glibc

/// The signals that end the agent, taken by one thread that waits for them.
package enum Signals {
  /// Keeps SIGTERM and SIGINT from every thread that is started later, and ignores SIGPIPE.
  ///
  /// Called before any other thread is started.
  package static func block() {
    var set = terminating()
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Waits for SIGTERM or SIGINT, and tells which.
  package static func wait() -> Int32 {
    var set = terminating()
    var number: Int32 = 0
    while unsafe sigwait(&set, &number) != 0 {}
    return number
  }

  private static func terminating() -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGTERM)
    unsafe sigaddset(&set, SIGINT)
    return set
  }
}
