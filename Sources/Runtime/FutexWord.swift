import CThreads
import Synchronization

/// A counter that threads can sleep on until it changes.
@safe final class FutexWord: @unchecked Sendable {
  /// Allocated once, because a sleeping thread needs an address that does not move.
  private let word: UnsafeMutablePointer<Atomic<UInt32>>

  init() {
    unsafe word = .allocate(capacity: 1)
    unsafe word.initialize(to: Atomic(0))
  }

  deinit {
    unsafe word.deinitialize(count: 1)
    unsafe word.deallocate()
  }

  var value: UInt32 { unsafe word.pointee.load(ordering: .sequentiallyConsistent) }

  /// Sleeps while the counter is `value`; may return early.
  func wait(while value: UInt32) {
    // Sound: an Atomic has the layout of its value, and the word outlives every sleeper of this object.
    unsafe ct_wait(UnsafeRawPointer(word).assumingMemoryBound(to: UInt32.self), value)
  }

  /// Changes the counter and wakes at most `count` sleepers.
  func ring(atMost count: Int) {
    unsafe word.pointee.add(1, ordering: .sequentiallyConsistent)
    let woken = Int32(clamping: count)
    unsafe ct_wake(UnsafeRawPointer(word).assumingMemoryBound(to: UInt32.self), woken)
  }
}
