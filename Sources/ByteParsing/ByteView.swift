/// A bounds-checked view of bytes that keeps their owner alive; slices share the owner.
///
/// Every access is checked against the view's own bounds, so a view can be handed an offset that
/// came from outside.
@safe package struct ByteView: Sendable {
  private let owner: any Sendable & AnyObject
  /// Valid for `count` bytes while `owner` lives; the bytes never change.
  nonisolated(unsafe) private let start: UnsafeRawPointer
  /// Bytes in the view.
  package let count: Int

  /// Views memory that `owner` keeps valid and unchanged.
  ///
  /// - Precondition: `start` is readable for `count` bytes for as long as `owner` lives.
  @unsafe package init(start: UnsafeRawPointer, count: Int, owner: any Sendable & AnyObject) {
    precondition(count >= 0)
    unsafe self.start = start
    self.count = count
    self.owner = owner
  }

  /// Views a copy of `elements` as they lie in memory, aligned for any element type.
  package init<T: BitwiseCopyable>(_ elements: [T]) {
    let storage = ByteStorage(elements)
    let count = elements.count * MemoryLayout<T>.stride
    // Sound: the storage owns the memory and is never written after its initialiser.
    unsafe self.init(start: storage.start, count: count, owner: storage)
  }

  package var isEmpty: Bool { count == 0 }

  /// The byte at `offset`.
  package func byte(at offset: Int) throws(ParsingError) -> UInt8 {
    try load(UInt8.self, at: offset)
  }

  /// The little-endian integer at `offset`, which needs no alignment.
  package func load<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type = T.self, at offset: Int
  ) throws(ParsingError) -> T {
    let size = MemoryLayout<T>.size
    guard offset >= 0, size <= count, offset <= count - size else {
      throw .outOfBounds(offset: offset, needed: size, count: count)
    }
    // Sound: the range was checked above and the owner keeps the bytes.
    return T(littleEndian: unsafe start.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The part of `count` bytes at `offset`.
  package func slice(at offset: Int, count: Int) throws(ParsingError) -> ByteView {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      throw .outOfBounds(offset: offset, needed: count, count: self.count)
    }
    // Sound: the slice lies within this view and shares its owner.
    return unsafe ByteView(start: start + offset, count: count, owner: owner)
  }

  /// Lends the bytes; the pointer must not leave `body`.
  package func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    // Sound: `self` is kept alive across the call, and with it the owner.
    try unsafe body(UnsafeRawBufferPointer(start: start, count: count))
  }

  /// A copy of the bytes.
  package var array: [UInt8] {
    unsafe withUnsafeBytes { bytes in unsafe [UInt8](bytes) }
  }

  /// True when both views hold the same bytes.
  package func hasSameBytes(as other: ByteView) -> Bool {
    guard count == other.count else { return false }
    return unsafe withUnsafeBytes { mine in
      unsafe other.withUnsafeBytes { theirs in unsafe mine.elementsEqual(theirs) }
    }
  }
}

/// Bytes on the heap, aligned to 64, freed with their last view.
@safe private final class ByteStorage: Sendable {
  nonisolated(unsafe) let start: UnsafeRawPointer

  init<T: BitwiseCopyable>(_ elements: [T]) {
    let byteCount = elements.count * MemoryLayout<T>.stride
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Swift.max(byteCount, 1), alignment: 64)
    unsafe elements.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
    // Sound: `allocate` of at least one byte has a base address.
    unsafe start = UnsafeRawPointer(memory.baseAddress!)
  }

  deinit { unsafe start.deallocate() }
}
