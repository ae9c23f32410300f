import Glibc
import MemoryPlanning

/// One block of zeroed memory of exactly the planned size, aligned to a page and given back at its end.
///
/// It is mapped and its pages made present at once, so that nothing later can fail or fault for want of memory.
///
/// It is `Sendable` as raw memory is: whoever shares it says who writes when.
@safe struct Arena: ~Copyable, @unchecked Sendable {
  /// Valid for `byteCount` bytes while the arena lives; nil for an arena of no bytes.
  private let mapping: UnsafeMutableRawPointer?
  let byteCount: Int

  /// - Parameter isPresent: whether pages are there before they are first written.
  init(byteCount: Int, isPresent: Bool = true) throws(RuntimeError) {
    precondition(byteCount >= 0)
    self.byteCount = byteCount
    guard byteCount > 0 else {
      unsafe mapping = nil
      return
    }
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | (isPresent ? MAP_POPULATE : 0)
    let pages = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
    guard let pages = unsafe pages, unsafe pages != MAP_FAILED else {
      throw .outOfMemory(byteCount: byteCount)
    }
    unsafe mapping = pages
  }

  deinit {
    if let mapping = unsafe mapping { unsafe munmap(mapping, byteCount) }
  }

  /// The first byte; an arena of no bytes gives an address that must not be read.
  @unsafe var start: UnsafeMutableRawPointer {
    unsafe mapping ?? UnsafeMutableRawPointer(bitPattern: MemoryPlan.alignment)!
  }
}
