import CThreads
import Glibc
import Synchronization

/// Threads that share the tasks of one job after another.
///
/// A job is opened, the caller and every worker that is awake take tasks from one counter, and the job is closed when
/// the counter has run out. The caller waits only for workers that have joined: one that is parked, or kept off
/// its core by other programs, delays nobody. A worker that finds no job spins for a few tens of microseconds, the
/// time between two steps of one inference, and then parks in the kernel, so that an idle pool costs nothing.
package final class ComputePool: Sendable {
  /// A job's task: the task's index, and the index of the thread that runs it, 0 for the caller.
  package typealias Task = (_ task: Int, _ thread: Int) -> Void

  /// Threads that work on a job at most, the caller included.
  package let threads: Int
  private let shared: PoolState
  private let workers: [pthread_t]

  /// Starts `threads - 1` workers; where the system grants fewer threads, the pool is smaller.
  package init(threads: Int) {
    precondition(threads >= 1 && threads <= ComputePool.threadsMaximum)
    let shared = PoolState()
    var workers: [pthread_t] = []
    for index in 1..<max(threads, 1) {
      guard let worker = PoolWorker.start(index: index, shared: shared) else { break }
      workers.append(worker)
    }
    self.shared = shared
    self.workers = workers
    self.threads = workers.count + 1
  }

  deinit {
    shared.stop()
    for worker in workers { pthread_join(worker, nil) }
  }

  /// The most threads that a pool has.
  package static let threadsMaximum = 64

  /// Runs `body` for every task in `0..<tasks`, in any order, and returns when all are done.
  ///
  /// One job at a time uses the workers; a second caller runs its tasks alone. Allocates nothing.
  package func run(tasks: Int, _ body: @escaping Task) {
    guard tasks > 1, threads > 1, shared.acquire() else {
      for task in 0..<max(tasks, 0) { body(task, 0) }
      return
    }
    shared.open(tasks: tasks, body: body)
    shared.work(thread: 0)
    shared.close()
    shared.release()
  }
}

/// The thread of a worker.
private enum PoolWorker {
  /// What a worker is started with.
  private final class Start: Sendable {
    let index: Int
    let shared: PoolState

    init(index: Int, shared: PoolState) {
      self.index = index
      self.shared = shared
    }
  }

  static func start(index: Int, shared: PoolState) -> pthread_t? {
    // The retained object is taken over by the thread, or released here when there is none.
    let start = unsafe Unmanaged.passRetained(Start(index: index, shared: shared))
    var thread = pthread_t()
    let status = unsafe pthread_create(
      &thread, nil,
      { argument in
        let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        start.shared.serve(thread: start.index)
        return nil
      }, start.toOpaque())
    guard status == 0 else {
      unsafe start.release()
      return nil
    }
    return thread
  }
}
