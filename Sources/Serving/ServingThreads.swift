/// The threads that requests are answered on, besides the one that brings them.
final class ServingThreads: Sendable {
  let compute: JobThreads
  /// Looks after the time of requests that wait, however busy the others are.
  let timer: JobThreads

  init(compute threads: Int, _ limits: ServingLimits) {
    compute = JobThreads(
      name: "compute", threads: max(1, threads), stackBytes: limits.computeStackBytes)
    timer = JobThreads(name: "timer", threads: 1, stackBytes: limits.timerStackBytes)
  }

  /// - Returns: whether all jobs ended by `deadline`.
  func shutdown(until deadline: UInt64) -> Bool {
    let isDone = compute.shutdown(until: deadline)
    return timer.shutdown(until: deadline) && isDone
  }
}
