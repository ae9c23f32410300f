import Runtime
import Synchronization
import Tensors

/// A version in memory: its instances, the requests that wait for them, and the charge that pays
/// for it all.
///
/// Its memory is unmapped and uncharged when the last reference goes: the registry's, or a lease's.
final class LoadedVersion: Sendable {
  private struct Queue {
    var idle: [InstanceSlot]
    var waiting = JobQueue()
    /// Somebody comes to look after deadlines.
    var isWatched = false
  }

  /// Distinguishes two loads of one version number.
  let id: UInt64
  let source: VersionSource
  let description: VersionDescription
  let memory: VersionMemory
  let requestBytes: RequestBytes
  let loadNanoseconds: UInt64
  let metrics = VersionMetrics()
  /// Posted once, after the memory is gone.
  let gone = Semaphore()
  /// Of one inference, as it was measured when the version was loaded.
  let medianMicroseconds: Int
  private let inlineThresholdMicroseconds: Int
  private let queueDepthMaximum: Int
  private let deadlineSweepMilliseconds: Int
  let instanceCount: InstanceCount
  private let queue: Mutex<Queue>
  private let charge: MemoryCharge
  private let batchCharges: [MemoryCharge]
  /// How requests are run together.
  let batching: BatchingStatus
  private let rowsMaximum: Int
  private let onUnload: @Sendable (UInt64) -> Void
  private let sampler: RequestSampler?
  private let cache: ResponseCache?
  /// Why packed weights lie in anonymous memory; nil when they lie in a file.
  let weightsRefusal: WeightsRefusal?
  private let weightsFile: Mutex<WeightsFile?>
  private let damaged = Atomic<Bool>(false)
  private let onDamage: @Sendable (UInt64) -> Void

  /// - Parameter onDamage: told once when weights can no longer be read as they were written.
  init(
    id: UInt64, prepared: PreparedVersion, limits: ServingLimits, sampler: RequestSampler?,
    onDamage: @escaping @Sendable (UInt64) -> Void,
    onUnload: @escaping @Sendable (UInt64) -> Void
  ) {
    self.id = id
    self.onDamage = onDamage
    weightsRefusal = prepared.weights.refusal
    weightsFile = Mutex(prepared.weights.file)
    source = prepared.source
    description = prepared.description
    memory = prepared.memory
    requestBytes = RequestBytes(prepared.description.inputs, rowsMaximum: limits.batchMaximum)
    loadNanoseconds = prepared.loadNanoseconds
    charge = prepared.charge
    batchCharges = prepared.batches.charges
    batching = prepared.batches.status
    rowsMaximum = prepared.instances.first?.rowsMaximum ?? 1
    medianMicroseconds = prepared.medianMicroseconds
    inlineThresholdMicroseconds = limits.inlineThresholdMicroseconds
    queueDepthMaximum = limits.queueDepthMaximum
    deadlineSweepMilliseconds = limits.deadlineSweepMilliseconds
    instanceCount = prepared.instanceCount
    queue = Mutex(Queue(idle: prepared.instances))
    self.onUnload = onUnload
    self.sampler = sampler
    cache =
      prepared.memory.cacheBytes > 0
      ? ResponseCache(bytesMaximum: prepared.memory.cacheBytes) : nil
  }

  deinit {
    // The order matters: memory first, then its charge, then whoever waits for the room.
    queue.withLock { $0.idle.removeAll() }
    weightsFile.withLock { $0 = nil }
    charge.release()
    for charge in batchCharges { charge.release() }
    onUnload(id)
    gone.post()
  }

  /// Whether answers are kept for requests that come again.
  var keepsAnswers: Bool { cache != nil }

  /// Whether answers can no longer be trusted.
  var isDamaged: Bool { damaged.load(ordering: .relaxed) }

  /// Looks whether the weights are still what was written; reads all of them.
  func scrub() {
    if let file = weightsFile.withLock({ $0 }), !file.isWhole { noteDamage() }
  }

  /// Notes that the weights are not what was written, so that the version is loaded again.
  func noteDamage() {
    if !damaged.exchange(true, ordering: .relaxed) { onDamage(id) }
  }

  /// Runs `job` here and now, or on one of `threads`, or refuses it.
  func submit(_ job: Job, _ threads: ServingThreads) {
    enum Decision {
      case here(InstanceSlot)
      case handOver(InstanceSlot)
      case waits(expired: [Job], displaced: Job?, needsWatch: Bool)
      case full
    }
    if let cache {
      let kept = cache.find(job.request)
      metrics.recordLookup(isHit: kept != nil)
      if let kept { return finish(job, .success(kept)) }
    }
    var job = job
    let isShort = isShort(job)
    if !isShort { job.ticket = Job.Ticket() }
    let decision: Decision = queue.withLock { queue in
      if let slot = queue.idle.popLast() { return isShort ? .here(slot) : .handOver(slot) }
      if job.ticket == nil { job.ticket = Job.Ticket() }
      var expired: [Job] = []
      var displaced: Job?
      if queue.waiting.count >= queueDepthMaximum {
        let now = MonotonicClock.now()
        expired = queue.waiting.remove { $0.request.terms.isOverdue(now) }
        if expired.isEmpty {
          displaced = queue.waiting.displace(by: job.request.terms.priority)
          guard displaced != nil else { return .full }
        }
      }
      queue.waiting.append(job)
      let needsWatch = job.request.terms.deadline != nil && !queue.isWatched
      if needsWatch { queue.isWatched = true }
      return .waits(expired: expired, displaced: displaced, needsWatch: needsWatch)
    }
    switch decision {
    case .here(let slot):
      run([job], slot)
      giveBack(slot, threads)
    case .handOver(let slot):
      listen(job)
      dispatch([job], slot, threads)
    case .waits(let expired, let displaced, let needsWatch):
      listen(job)
      for job in expired { finish(job, .failure(.deadlineExceeded)) }
      if let displaced { finish(displaced, .failure(fullError)) }
      if needsWatch { watchDeadlines(threads) }
    case .full: finish(job, .failure(fullError))
    }
  }

  /// Why one more job is refused, and when it is worth to come again.
  private var fullError: ServingError {
    let (microseconds, overflow) = medianMicroseconds.multipliedReportingOverflow(
      by: queueDepthMaximum)
    return .queueFull(
      model: description.model, limit: queueDepthMaximum,
      retryMilliseconds: overflow ? 1000 : max(1, microseconds / instanceCount.count / 1000))
  }

  // MARK: Jobs that nobody waits for

  /// Takes `job` out of the queue when its client leaves.
  private func listen(_ job: Job) {
    guard let whenAbandoned = job.request.terms.whenAbandoned, let ticket = job.ticket else {
      return
    }
    whenAbandoned { [weak self] in
      ticket.abandon()
      self?.drop(ticket)
    }
  }

  private func drop(_ ticket: Job.Ticket) {
    let gone = queue.withLock { queue in queue.waiting.remove { $0.ticket === ticket } }
    for job in gone { finish(job, .failure(.cancelled)) }
  }

  /// Looks soon, and again while jobs with deadlines wait, for those whose time is over.
  private func watchDeadlines(_ threads: ServingThreads) {
    let timer = threads.timer
    timer.submit(afterMilliseconds: deadlineSweepMilliseconds) { [weak self, weak threads] in
      guard let self, let threads else { return }
      let now = MonotonicClock.now()
      let (expired, hasMore) = queue.withLock { queue in
        let expired = queue.waiting.remove { $0.request.terms.isOverdue(now) }
        queue.isWatched = queue.waiting.hasDeadlines
        return (expired, queue.isWatched)
      }
      for job in expired { finish(job, .failure(.deadlineExceeded)) }
      if hasMore { watchDeadlines(threads) }
    }
  }

  // MARK: Running

  /// Whether all rows of `job` together take less than a hand-over between threads is worth.
  private func isShort(_ job: Job) -> Bool {
    let (microseconds, overflow) = medianMicroseconds.multipliedReportingOverflow(
      by: job.plan.rows)
    return !overflow && microseconds < inlineThresholdMicroseconds
  }

  /// One run at a time, so that models share the threads fairly.
  private func dispatch(_ jobs: [Job], _ slot: InstanceSlot, _ threads: ServingThreads) {
    threads.compute.submit { [self] in
      run(jobs, slot)
      giveBack(slot, threads)
    }
  }

  /// An instance that nobody uses, for somebody who gives it back soon; nil when there is none.
  func takeIdle() -> InstanceSlot? { queue.withLock { $0.idle.popLast() } }

  /// Takes what waits, or lets the instance rest: nothing ever waits for others to come.
  func giveBack(_ slot: InstanceSlot, _ threads: ServingThreads) {
    let next = queue.withLock { queue -> [Job] in
      let jobs = queue.waiting.popFirst(rowsMaximum: rowsMaximum)
      if jobs.isEmpty { queue.idle.append(slot) }
      return jobs
    }
    if !next.isEmpty { dispatch(next, slot, threads) }
  }

  private func run(_ jobs: [Job], _ slot: InstanceSlot) {
    let begun = MonotonicClock.now()
    var wanted: [Job] = []
    for job in jobs {
      if job.request.terms.isOverdue(begun) {
        finish(job, .failure(.deadlineExceeded))
      } else if job.ticket?.isAbandoned ?? false {
        finish(job, .failure(.cancelled))
      } else {
        wanted.append(job)
      }
    }
    guard !wanted.isEmpty else { return }
    var results = slot.run(wanted, description) { metrics.record($0) }
    if slot.instance.model.isTorn { noteDamage() }
    if isDamaged { results = wanted.map { _ in .failure(.notReady(model: description.model)) } }
    let ended = MonotonicClock.now()
    for (job, result) in zip(wanted, results) {
      metrics.record(
        rows: job.plan.rows, queueNanoseconds: begun - job.admitted,
        inferNanoseconds: ended - begun)
      if case .success(let response) = result { cache?.store(job.request, response) }
      finish(job, result, begun: begun)
    }
  }

  /// - Parameter begun: when an instance began with it; nil when none did.
  private func finish(
    _ job: Job, _ result: Result<InferenceResponse, ServingError>, begun: UInt64? = nil
  ) {
    var result = result
    if case .success(let response) = result, let refusal = job.charge?(response) {
      result = .failure(refusal)
    }
    let outcome: RequestOutcome =
      switch result {
      case .success: .ok
      case .failure(let error): RequestOutcome(error)
      }
    let ended = MonotonicClock.now()
    metrics.record(outcome, nanoseconds: ended - job.admitted)
    sampler?.record(outcome) {
      RequestRecord(
        job.request, description, outcome, rows: job.plan.rows,
        queueNanoseconds: (begun ?? ended) - job.admitted,
        inferNanoseconds: begun.map { ended - $0 } ?? 0)
    }
    job.completion(result)
  }

  /// Requests that wait for an instance.
  var waiting: Int { queue.withLock { $0.waiting.count } }
}
