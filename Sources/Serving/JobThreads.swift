import Glibc
import Synchronization

/// A few threads that run jobs in the order they were given, and later ones when their time has
/// come.
///
/// Queues are bounded by the callers, each of which knows what to refuse.
package final class JobThreads: Sendable {
  private final class Shared: Sendable {
    struct State {
      var jobs = FIFO<@Sendable () -> Void>()
      /// Sorted by time.
      var delayed: [(due: UInt64, job: @Sendable () -> Void)] = []
      var stopping = false
    }

    let state = Mutex(State())
    let available = Semaphore()
    let exited = Semaphore()
    /// What a thread does: jobs until told to stop and none is left.
    func run() {
      while true {
        let (due, stop) = state.withLock { ($0.delayed.first?.due, $0.stopping && $0.jobs.isEmpty) }
        if stop { break }
        if let due { _ = available.wait(until: due) } else { available.wait() }
        while let job = next() { job() }
      }
      exited.post()
    }

    private func next() -> (@Sendable () -> Void)? {
      state.withLock { state in
        if let first = state.delayed.first, !state.stopping, first.due <= MonotonicClock.now() {
          return state.delayed.removeFirst().job
        }
        return state.jobs.popFirst()
      }
    }
  }

  private let shared: Shared
  private let threads: Int

  /// - Parameter name: at most 15 bytes, as the kernel keeps them.
  package init(name: String, threads: Int, stackBytes: Int, niceness: Int32 = 0) {
    precondition(threads > 0)
    shared = Shared()
    self.threads = threads
    for _ in 0..<threads {
      let shared = shared
      Thread.start(name: name, stackBytes: stackBytes, niceness: niceness) { shared.run() }
    }
  }

  package func submit(_ job: @escaping @Sendable () -> Void) {
    shared.state.withLock { $0.jobs.append(job) }
    shared.available.post()
  }

  package func submit(afterMilliseconds delay: Int, _ job: @escaping @Sendable () -> Void) {
    let due = MonotonicClock.now() + UInt64(delay) * 1_000_000
    shared.state.withLock { state in
      let index = state.delayed.firstIndex { $0.due > due } ?? state.delayed.count
      state.delayed.insert((due, job), at: index)
    }
    shared.available.post()
  }

  /// Jobs that wait for a thread.
  var waiting: Int { shared.state.withLock { $0.jobs.count } }

  /// Runs what was submitted, drops what is delayed, and waits for the threads to end.
  ///
  /// - Parameter deadline: on the monotonic clock; threads that are not done by then end by
  ///   themselves later.
  /// - Returns: whether all ended in time.
  package func shutdown(until deadline: UInt64) -> Bool {
    stop()
    return (0..<threads).allSatisfy { _ in shared.exited.wait(until: deadline) }
  }

  private func stop() {
    shared.state.withLock { state in
      state.stopping = true
      state.delayed.removeAll()
    }
    for _ in 0..<threads { shared.available.post() }
  }

  deinit { stop() }
}
