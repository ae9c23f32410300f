/// A bounds-checked view of bytes that keeps their owner alive; slices share the owner.
///
/// Every access is checked against the view's own bounds, so a view can be handed an offset that
/// came from outside.
@safe package struct ByteView: Sendable {
  private let owner: any Sendable & AnyObject
  /// Valid for `count` bytes while `owner` lives; the bytes never change.
  @usableFromInline nonisolated(unsafe) let start: UnsafeRawPointer
  /// Writes the bytes before they are first read; nil when they are there.
  @usableFromInline let deferred: DeferredBytes?
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
    deferred = nil
  }

  /// Views `count` bytes that `fill` writes when they are first read, if they ever are; nil when there is
  /// no memory for them. They are aligned for any element type, and given back to the system at once with
  /// their last view.
  @unsafe package init?(
    count: Int, filledBy fill: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void
  ) {
    guard let bytes = unsafe DeferredBytes(count: count, fill) else { return nil }
    unsafe start = bytes.start
    self.count = count
    owner = bytes
    deferred = bytes
  }

  /// A part of `whole` that was checked to lie within.
  private init(of whole: ByteView, at offset: Int, count: Int) {
    unsafe start = whole.start + offset
    self.count = count
    owner = whole.owner
    deferred = whole.deferred
  }

  /// Whether elements of this size can be read in place; reads nothing.
  package func isAligned(to elementBytes: Int) -> Bool {
    unsafe UInt(bitPattern: start) % UInt(elementBytes) == 0
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
  @inlinable package func load<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type = T.self, at offset: Int
  ) throws(ParsingError) -> T {
    let size = MemoryLayout<T>.size
    guard offset >= 0, size <= count, offset <= count - size else {
      throw .outOfBounds(offset: offset, needed: size, count: count)
    }
    deferred?.fill()
    // Sound: the range was checked above and the owner keeps the bytes.
    return T(littleEndian: unsafe start.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The part of `count` bytes at `offset`.
  package func slice(at offset: Int, count: Int) throws(ParsingError) -> ByteView {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      throw .outOfBounds(offset: offset, needed: count, count: self.count)
    }
    return ByteView(of: self, at: offset, count: count)
  }

  /// Lends the bytes; the pointer must not leave `body`.
  package func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    deferred?.fill()
    // Sound: `self` is kept alive across the call, and with it the owner.
    return try unsafe body(UnsafeRawBufferPointer(start: start, count: count))
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
