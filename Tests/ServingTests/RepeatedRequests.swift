import Serving
import Synchronization
import TestSupport

/// Threads that ask a fixture's model again and again, and count what comes of it.
final class RepeatedRequests: Sendable {
  private let threads: Int
  private let isStopping = Atomic<Bool>(false)
  private let ended = Atomic<Int>(0)
  private let right = Atomic<Int>(0)
  private let wrong = Atomic<Int>(0)

  /// - Parameter isRight: whether an answer is one that may come.
  init(
    _ fixture: ServingFixture, _ image: [UInt8], threads: Int,
    isRight: @escaping @Sendable (InferenceResponse) -> Bool = { _ in true }
  ) {
    self.threads = threads
    for _ in 0..<threads {
      TestThread.start { [self] in
        while !isStopping.load(ordering: .relaxed) {
          if let response = try? fixture.answer(image), isRight(response) {
            right.add(1, ordering: .relaxed)
          } else {
            wrong.add(1, ordering: .relaxed)
          }
        }
        ended.add(1, ordering: .relaxed)
      }
    }
  }

  /// Requests that were answered rightly.
  var answered: Int { right.load(ordering: .relaxed) }

  /// Requests without an answer, or with one that may not come.
  var failed: Int { wrong.load(ordering: .relaxed) }

  /// Stops asking; false when a request is never answered.
  func end() -> Bool {
    isStopping.store(true, ordering: .relaxed)
    return eventually { self.ended.load(ordering: .relaxed) == self.threads }
  }
}
