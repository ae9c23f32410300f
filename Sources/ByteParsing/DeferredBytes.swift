import Glibc
import Synchronization

/// Pages of their own that are written when somebody first reads them.
@usableFromInline
@safe final class DeferredBytes: Sendable {
  private typealias Fill = @Sendable (UnsafeMutableRawBufferPointer) -> Void

  /// Valid for `count` bytes until `deinit`; written within `fill` alone.
  nonisolated(unsafe) private let memory: UnsafeMutableRawPointer
  private let count: Int
  private let isFilled = Atomic<Bool>(false)
  private let pending: Mutex<Fill?>

  /// Nil when the system does not grant the bytes.
  @unsafe init?(
    count: Int, _ fill: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void
  ) {
    let pages = unsafe mmap(
      nil, max(count, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { return nil }
    unsafe memory = pages
    self.count = count
    unsafe pending = Mutex(fill)
  }

  deinit { unsafe munmap(memory, max(count, 1)) }

  @unsafe var start: UnsafeRawPointer { unsafe UnsafeRawPointer(memory) }

  /// Sees to it that the bytes are there.
  @usableFromInline func fill() {
    guard !isFilled.load(ordering: .acquiring) else { return }
    unsafe pending.withLock { pending in
      guard let fill = unsafe pending else { return }
      // Sound: nobody else reads or writes before the flag is set.
      unsafe fill(UnsafeMutableRawBufferPointer(start: memory, count: count))
      unsafe pending = nil
      isFilled.store(true, ordering: .releasing)
    }
  }
}
