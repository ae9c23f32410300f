internal import Synchronization

/// Runs calls that block on threads of its own, each with a connection; calls wait in order for one.
final class ConnectionPool: Sendable {
  /// A call that waits or runs.
  private final class Job: Sendable {
    /// Set when the task is cancelled before the call has come to the pool.
    let isCancelled = Atomic(false)
    let perform: @Sendable (Result<Connection, EdgeServeError>) -> Void

    init(_ perform: @escaping @Sendable (Result<Connection, EdgeServeError>) -> Void) {
      self.perform = perform
    }
  }

  private struct State {
    var waiting: [Job] = []
    /// What each thread is at, by the job's identity.
    var running: [ObjectIdentifier: Connection] = [:]
    var threadCount = 0
    var isClosed = false
  }

  /// Enough for the frames of one call; tensors lie on the heap.
  private static let stackBytes = 256 * 1024

  private let configuration: EdgeServeClient.Configuration
  private let state = Mutex(State())
  private let arrivals = Semaphore()

  init(_ configuration: EdgeServeClient.Configuration) { self.configuration = configuration }

  /// Calls `body` with a connection, as soon as one is free.
  func run<Value: Sendable>(
    _ body: @escaping @Sendable (Connection) throws(EdgeServeError) -> Value
  ) async throws(EdgeServeError) -> Value {
    let box = ContinuationBox<Value>()
    let job = Job { connection in
      box.resume(
        connection.flatMap { connection in
          Result { () throws(EdgeServeError) in try body(connection) }
        })
    }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        box.set(continuation)
        submit(job)
      }
    } onCancel: {
      cancel(job)
    }
    return try result.get()
  }

  private func submit(_ job: Job) {
    let refusal: EdgeServeError? = state.withLock { state in
      if state.isClosed { return EdgeServeError(.closed, "the client is closed") }
      if job.isCancelled.load(ordering: .acquiring) { return Self.cancellation }
      let isTaken = state.waiting.count >= state.threadCount - state.running.count
      if isTaken, state.threadCount < configuration.connectionsMaximum, startWorker() {
        state.threadCount += 1
      }
      guard state.threadCount > 0 else {
        return EdgeServeError(.outOfMemory, "the system has no room for a thread")
      }
      // Calls that a free thread is about to take do not wait.
      let free = state.threadCount - state.running.count
      guard state.waiting.count < configuration.waitingMaximum + free else {
        return EdgeServeError(
          .tooManyWaiting, "\(state.waiting.count) calls wait for a connection already")
      }
      state.waiting.append(job)
      return nil
    }
    if let refusal { job.perform(.failure(refusal)) } else { arrivals.post() }
  }

  private func cancel(_ job: Job) {
    let wasWaiting = state.withLock { state in
      if let place = state.waiting.firstIndex(where: { $0 === job }) {
        state.waiting.remove(at: place)
        return true
      }
      job.isCancelled.store(true, ordering: .releasing)
      state.running[ObjectIdentifier(job)]?.interrupt()
      return false
    }
    if wasWaiting { job.perform(.failure(Self.cancellation)) }
  }

  /// Refuses what waits and what comes; what runs ends as it would.
  func close() {
    let (refused, threads) = state.withLock { state in
      state.isClosed = true
      defer { state.waiting = [] }
      return (state.waiting, state.threadCount)
    }
    for job in refused { job.perform(.failure(EdgeServeError(.closed, "the client is closed"))) }
    for _ in 0..<threads { arrivals.post() }
  }

  private func startWorker() -> Bool {
    startThread(stackBytes: Self.stackBytes) { [self] in work() }
  }

  private func work() {
    let connection = Result { () throws(EdgeServeError) in try Connection(configuration) }
    while true {
      arrivals.wait()
      let (job, isClosed) = state.withLock { state -> (Job?, Bool) in
        // A call that was cancelled while it waited leaves an arrival behind.
        guard !state.waiting.isEmpty else { return (nil, state.isClosed) }
        let job = state.waiting.removeFirst()
        if case .success(let connection) = connection {
          connection.resume()
          state.running[ObjectIdentifier(job)] = connection
        }
        return (job, false)
      }
      if isClosed { return }
      guard let job else { continue }
      job.perform(connection)
      state.withLock { state in _ = state.running.removeValue(forKey: ObjectIdentifier(job)) }
    }
  }

  private static var cancellation: EdgeServeError {
    EdgeServeError(.cancelled, "the task was cancelled")
  }
}

/// A continuation that is there before its call may end, and is resumed once.
private final class ContinuationBox<Value: Sendable>: Sendable {
  private let continuation = Mutex<CheckedContinuation<Result<Value, EdgeServeError>, Never>?>(nil)

  func set(_ value: CheckedContinuation<Result<Value, EdgeServeError>, Never>) {
    continuation.withLock { $0 = value }
  }

  func resume(_ result: Result<Value, EdgeServeError>) {
    let taken = continuation.withLock { continuation in
      defer { continuation = nil }
      return continuation
    }
    taken?.resume(returning: result)
  }
}
