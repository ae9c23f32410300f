import CThreads
import Glibc
import Synchronization

/// What the threads of a pool share: the job, who has joined it, and who sleeps.
///
/// Sound although `body` is not protected by a lock: it is written only while no job is open and nobody has joined,
/// and read only between joining and leaving, both of which order memory through `job`.
final class PoolState: @unchecked Sendable {
  /// How long a worker looks for the next job before it parks, in nanoseconds.
  private static let spinNanoseconds: UInt64 = 40_000

  /// The job's number in the upper half, then one bit that says that it may be joined, then how many have.
  private let job = Atomic<UInt64>(0)
  /// The next task that nobody has taken.
  private let next = Atomic<Int>(0)
  /// Counts jobs; what parked workers wait on.
  private let bell = FutexWord()
  private let sleepers = Atomic<Int>(0)
  private let busy = Atomic<Bool>(false)
  private let stopped = Atomic<Bool>(false)
  private var tasks = 0
  private var body: ComputePool.Task = PoolState.nothing

  private static let nothing: @Sendable (Int, Int) -> Void = { _, _ in }
  private static let openBit: UInt64 = 1 << 31
  private static let joinedMask: UInt64 = openBit - 1
  private static func number(_ job: UInt64) -> UInt64 { job >> 32 }

  /// Takes the workers for one caller; false when another has them.
  func acquire() -> Bool {
    !busy.exchange(true, ordering: .acquiring)
  }

  func release() { busy.store(false, ordering: .releasing) }

  /// Publishes a job. The caller has acquired the workers.
  func open(tasks: Int, body: @escaping ComputePool.Task) {
    self.tasks = tasks
    self.body = body
    next.store(0, ordering: .relaxed)
    let number = PoolState.number(job.load(ordering: .relaxed)) &+ 1
    job.store(number << 32 | PoolState.openBit, ordering: .sequentiallyConsistent)
    wakeSleepers(atMost: tasks - 1)
  }

  /// Takes tasks until none is left.
  func work(thread: Int) {
    let (tasks, body) = (tasks, body)
    while true {
      let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard task < tasks else { return }
      body(task, thread)
    }
  }

  /// Lets nobody join any more and waits until those who have are done.
  func close() {
    var state = job.bitwiseAnd(~PoolState.openBit, ordering: .acquiringAndReleasing).newValue
    var rounds = 0
    while state & PoolState.joinedMask != 0 {
      // Past some microseconds a worker is probably off its core: leave it ours.
      rounds += 1
      if rounds > 4096 { sched_yield() } else { ct_relax() }
      state = job.load(ordering: .acquiring)
    }
    // What the task holds, a model's mapped file among it, is not to outlive the job.
    body = PoolState.nothing
  }

  /// A worker's life.
  func serve(thread: Int) {
    var seen: UInt64 = 0
    while let number = waitForJob(after: seen) {
      seen = number
      guard join(number) else { continue }
      work(thread: thread)
      job.subtract(1, ordering: .acquiringAndReleasing)
    }
  }

  func stop() {
    stopped.store(true, ordering: .sequentiallyConsistent)
    wakeSleepers(atMost: Int(Int32.max))
  }

  private func join(_ number: UInt64) -> Bool {
    var state = job.load(ordering: .relaxed)
    while PoolState.number(state) == number, state & PoolState.openBit != 0 {
      let exchange = job.weakCompareExchange(
        expected: state, desired: state + 1, successOrdering: .acquiringAndReleasing,
        failureOrdering: .relaxed)
      if exchange.exchanged { return true }
      state = exchange.original
    }
    return false
  }

  /// The number of a job other than `seen`, open or not; nil when the pool stops.
  private func waitForJob(after seen: UInt64) -> UInt64? {
    while true {
      switch spinForJob(after: seen) {
      case .job(let number): return number
      case .stop: return nil
      case .nothing: break
      }
      let heard = bell.value
      sleepers.add(1, ordering: .sequentiallyConsistent)
      // Looked at once more after announcing the sleep: whoever publishes later sees the announcement and rings.
      if PoolState.number(job.load(ordering: .sequentiallyConsistent)) == seen,
        !stopped.load(ordering: .sequentiallyConsistent)
      {
        bell.wait(while: heard)
      }
      sleepers.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  /// What a worker finds.
  private enum Finding { case job(UInt64), stop, nothing }

  /// Looks for a job for a while.
  private func spinForJob(after seen: UInt64) -> Finding {
    let deadline = MonotonicClock.nanoseconds() + PoolState.spinNanoseconds
    repeat {
      for _ in 0..<64 {
        if stopped.load(ordering: .relaxed) { return .stop }
        let number = PoolState.number(job.load(ordering: .acquiring))
        if number != seen { return .job(number) }
        ct_relax()
      }
    } while MonotonicClock.nanoseconds() < deadline
    return .nothing
  }

  private func wakeSleepers(atMost count: Int) {
    guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    bell.ring(atMost: count)
  }
}
