import Synchronization
import Tensors

/// A version in memory: its instances, the requests that wait for them, and the charge that pays
/// for it all.
///
/// Its memory is unmapped and uncharged when the last reference goes: the registry's, or a lease's.
final class LoadedVersion: Sendable {
  /// A request that was admitted.
  struct Job: Sendable {
    var lease: VersionLease
    var request: InferenceRequest
    var plan: RequestPlan
    /// Monotonic nanoseconds.
    var admitted: UInt64
    var completion: @Sendable (Result<InferenceResponse, ServingError>) -> Void
  }

  private struct Queue {
    var idle: [InstanceSlot]
    var waiting = FIFO<Job>()
  }

  /// Distinguishes two loads of one version number.
  let id: UInt64
  let source: VersionSource
  let description: VersionDescription
  let memory: VersionMemory
  let loadNanoseconds: UInt64
  let metrics = VersionMetrics()
  /// Posted once, after the memory is gone.
  let gone = Semaphore()
  /// Of one inference, as it was measured when the version was loaded.
  let medianMicroseconds: Int
  private let inlineThresholdMicroseconds: Int
  private let queueDepthMaximum: Int
  private let queue: Mutex<Queue>
  private let charge: MemoryCharge
  private let onUnload: @Sendable (UInt64) -> Void

  init(
    id: UInt64, prepared: PreparedVersion, limits: ServingLimits,
    onUnload: @escaping @Sendable (UInt64) -> Void
  ) {
    self.id = id
    source = prepared.source
    description = prepared.description
    memory = prepared.memory
    loadNanoseconds = prepared.loadNanoseconds
    charge = prepared.charge
    medianMicroseconds = prepared.medianMicroseconds
    inlineThresholdMicroseconds = limits.inlineThresholdMicroseconds
    queueDepthMaximum = limits.queueDepthMaximum
    queue = Mutex(Queue(idle: prepared.instances))
    self.onUnload = onUnload
  }

  deinit {
    // The order matters: memory first, then its charge, then whoever waits for the room.
    queue.withLock { $0.idle.removeAll() }
    charge.release()
    onUnload(id)
    gone.post()
  }

  /// Runs `job` here and now, or on `executor`, or refuses it.
  func submit(_ job: Job, _ executor: JobThreads) {
    enum Decision {
      case here(InstanceSlot)
      case handOver(InstanceSlot, Job)
      case waits, full
    }
    let decision: Decision = queue.withLock { queue in
      guard let slot = queue.idle.popLast() else {
        guard queue.waiting.count < queueDepthMaximum else { return .full }
        queue.waiting.append(job)
        return .waits
      }
      return isShort(job) ? .here(slot) : .handOver(slot, job)
    }
    switch decision {
    case .here(let slot):
      run(job, slot)
      giveBack(slot, executor)
    case .handOver(let slot, let job):
      dispatch(job, slot, executor)
    case .waits: break
    case .full:
      finish(job, .failure(.queueFull(model: description.model, limit: queueDepthMaximum)))
    }
  }

  /// Whether all rows of `job` together take less than a hand-over between threads is worth.
  private func isShort(_ job: Job) -> Bool {
    let (microseconds, overflow) = medianMicroseconds.multipliedReportingOverflow(
      by: job.plan.rows)
    return !overflow && microseconds < inlineThresholdMicroseconds
  }

  /// One job at a time, so that models share the threads fairly.
  private func dispatch(_ job: Job, _ slot: InstanceSlot, _ executor: JobThreads) {
    executor.submit { [self] in
      run(job, slot)
      giveBack(slot, executor)
    }
  }

  private func giveBack(_ slot: InstanceSlot, _ executor: JobThreads) {
    let next = queue.withLock { queue -> Job? in
      guard let job = queue.waiting.popFirst() else {
        queue.idle.append(slot)
        return nil
      }
      return job
    }
    if let next { dispatch(next, slot, executor) }
  }

  private func run(_ job: Job, _ slot: InstanceSlot) {
    if let limit = job.request.deadlineMilliseconds,
      MonotonicClock.now() - job.admitted > UInt64(max(0, limit)) * 1_000_000
    {
      return finish(job, .failure(.deadlineExceeded))
    }
    let begun = MonotonicClock.now()
    let response = slot.run(job.request, job.plan, description)
    metrics.record(
      rows: job.plan.rows, queueNanoseconds: begun - job.admitted,
      inferNanoseconds: MonotonicClock.now() - begun)
    // A loop in the model was ended at its limit: the model took too long.
    finish(job, slot.isComplete ? .success(response) : .failure(.deadlineExceeded))
  }

  private func finish(_ job: Job, _ result: Result<InferenceResponse, ServingError>) {
    let outcome: RequestOutcome =
      switch result {
      case .success: .ok
      case .failure(let error): RequestOutcome(error)
      }
    metrics.record(outcome, nanoseconds: MonotonicClock.now() - job.admitted)
    job.completion(result)
  }
}
