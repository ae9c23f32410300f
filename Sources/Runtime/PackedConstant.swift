import ByteParsing

/// Bytes that are computed once, when a model is prepared: packed weights, tables, realigned constants.
@safe struct PackedConstant: Sendable {
  var byteCount: Int
  /// Whether it may lie in a mapped file: its bytes are only computed with, as operands from a request
  /// could be, so that nothing but answers goes wrong when they are no longer what was written. Indices
  /// and tables with promises about their entries lie in memory that nobody else can change.
  var canBeMapped = false
  /// Writes all of the bytes; the address is 64-byte aligned.
  var write: @Sendable (UnsafeMutableRawPointer) -> Void

  init(
    byteCount: Int, canBeMapped: Bool = false,
    write: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    self.byteCount = byteCount
    self.canBeMapped = canBeMapped
    unsafe self.write = write
  }

  /// A copy of the bytes of a constant, for one that cannot be read in place.
  init(copyOf bytes: ByteView, canBeMapped: Bool = false) {
    unsafe self.init(byteCount: bytes.count, canBeMapped: canBeMapped) { destination in
      unsafe bytes.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(start: destination, count: source.count)
          .copyMemory(from: source)
      }
    }
  }

  /// The elements of a table.
  init<T: BitwiseCopyable & Sendable>(_ elements: [T]) {
    unsafe self.init(byteCount: elements.count * MemoryLayout<T>.stride) { destination in
      unsafe elements.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(start: destination, count: source.count)
          .copyMemory(from: source)
      }
    }
  }
}
