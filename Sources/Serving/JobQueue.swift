import Synchronization

/// A request that was admitted to a version.
struct Job: Sendable {
  var lease: VersionLease
  var request: InferenceRequest
  var plan: RequestPlan
  /// Monotonic nanoseconds.
  var admitted: UInt64
  var completion: @Sendable (Result<InferenceResponse, ServingError>) -> Void
  /// Takes the memory of a reply whose size is known only now, or says why there is none; nil where
  /// it was taken before.
  var charge: (@Sendable (InferenceResponse) -> ServingError?)?
  /// Where its client is noticed to leave; nil while it does not wait.
  var ticket: Ticket?

  /// Tells whoever comes to run a job that nobody waits for it.
  final class Ticket: Sendable {
    private let abandoned = Atomic<Bool>(false)

    func abandon() { abandoned.store(true, ordering: .relaxed) }
    var isAbandoned: Bool { abandoned.load(ordering: .relaxed) }
  }
}

/// Jobs that wait for an instance: by priority, and of one priority in the order they came.
struct JobQueue {
  private var levels = [FIFO<Job>](
    repeating: FIFO(), count: RequestPriority.allCases.count)

  var count: Int { levels.reduce(0) { $0 + $1.count } }

  mutating func append(_ job: Job) {
    levels[job.request.terms.priority.rawValue].append(job)
  }

  /// The first, and those behind it that are as urgent, as long as all their rows together are at
  /// most `rowsMaximum`.
  mutating func popFirst(rowsMaximum: Int) -> [Job] {
    guard let level = levels.firstIndex(where: { !$0.isEmpty }),
      let first = levels[level].popFirst()
    else { return [] }
    var jobs = [first]
    var rows = first.plan.rows
    while let next = levels[level].first, rows + next.plan.rows <= rowsMaximum {
      _ = levels[level].popFirst()
      rows += next.plan.rows
      jobs.append(next)
    }
    return jobs
  }

  /// Takes out the newest of the least urgent jobs, when it is less urgent than `priority`.
  mutating func displace(by priority: RequestPriority) -> Job? {
    for level in levels.indices.reversed() where level > priority.rawValue {
      if let job = levels[level].popLast() { return job }
    }
    return nil
  }

  mutating func remove(where isGone: (Job) -> Bool) -> [Job] {
    levels.indices.flatMap { levels[$0].remove(where: isGone) }
  }

  /// Whether some job must have begun by some time.
  var hasDeadlines: Bool {
    levels.contains { level in level.contains { $0.request.terms.deadline != nil } }
  }
}
