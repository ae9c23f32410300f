import Synchronization

/// The threads that requests are answered on, besides the one that brings them.
final class ServingThreads: Sendable {
  let compute: JobThreads
  /// Looks after the time of requests that wait, however busy the others are.
  let timer: JobThreads
  private let limits: ServingLimits
  /// Made when it is needed first.
  private let following = Mutex<JobThreads?>(nil)

  init(compute threads: Int, _ limits: ServingLimits) {
    self.limits = limits
    compute = JobThreads(
      name: "compute", threads: max(1, threads), stackBytes: limits.computeStackBytes)
    timer = JobThreads(name: "timer", threads: 1, stackBytes: limits.timerStackBytes)
  }

  /// One thread that gives way to all others, for what nobody waits for.
  var shadows: JobThreads {
    following.withLock { threads in
      let made =
        threads
        ?? JobThreads(
          name: "shadow", threads: 1, stackBytes: limits.computeStackBytes,
          niceness: limits.shadowNiceness)
      threads = made
      return made
    }
  }

  /// - Returns: whether all jobs ended by `deadline`.
  func shutdown(until deadline: UInt64) -> Bool {
    let isDone = compute.shutdown(until: deadline)
    if let shadows = following.withLock({ $0 }) { _ = shadows.shutdown(until: deadline) }
    return timer.shutdown(until: deadline) && isDone
  }
}
