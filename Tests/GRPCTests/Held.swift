import GRPC
import Glibc
import Synchronization

/// A method that answers when it is told to.
final class Held: Sendable {
  private let replies = Mutex<[@Sendable (GRPCReply) -> Void]>([])

  /// Calls that wait.
  var count: Int { replies.withLock { $0.count } }

  var method: GRPCMethod {
    GRPCMethod { [self] _, reply in replies.withLock { $0.append(reply) } }
  }

  /// Answers every call that waits.
  func release() {
    let waiting = replies.withLock { replies in
      let waiting = replies
      replies = []
      return waiting
    }
    for reply in waiting { reply(.message(ServerFixture.room)) }
  }
}

/// Keeps work for another thread until it is told to run it.
final class Desk: Sendable {
  private let jobs = Mutex<[@Sendable () -> Void]>([])

  /// Jobs that wait.
  var count: Int { jobs.withLock { $0.count } }

  func take(_ job: @escaping @Sendable () -> Void) { jobs.withLock { $0.append(job) } }

  /// Runs all that wait, here.
  func run() {
    let waiting = jobs.withLock { jobs in
      let waiting = jobs
      jobs = []
      return waiting
    }
    for job in waiting { job() }
  }
}

/// Gives 1, nothing, 3, nothing, 5 and then nothing.
final class Counter: Sendable {
  private let state = Atomic<Int>(0)

  var calls: Int { state.load(ordering: .relaxed) }

  func next() -> UInt8? {
    let number = state.add(1, ordering: .relaxed).newValue
    return number <= 5 && number % 2 == 1 ? UInt8(number) : nil
  }
}

/// A thread that a test waits for.
final class Thread {
  private var handle = pthread_t()

  init(_ body: @escaping @Sendable () -> Void) {
    let box = unsafe Unmanaged.passRetained(Box(body))
    // Sound: the new thread takes the reference that it is given.
    unsafe pthread_create(
      &handle, nil,
      { pointer in
        unsafe Unmanaged<Box>.fromOpaque(pointer!).takeRetainedValue().body()
        return nil
      }, unsafe box.toOpaque())
  }

  func join() { pthread_join(handle, nil) }

  private final class Box {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
