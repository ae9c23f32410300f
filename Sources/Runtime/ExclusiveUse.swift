import Synchronization

/// Traps when two threads use one thing at the same time.
struct ExclusiveUse: ~Copyable {
  private let isUsed = Atomic<Bool>(false)

  func begin() {
    precondition(!isUsed.exchange(true, ordering: .acquiring), "used by two threads at once")
  }

  func end() { isUsed.store(false, ordering: .releasing) }
}
