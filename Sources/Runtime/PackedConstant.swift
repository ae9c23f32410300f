import ByteParsing

/// Bytes that are computed once, when a model is prepared: packed weights, tables, realigned constants.
@safe struct PackedConstant: Sendable {
  var byteCount: Int
  /// Writes all of the bytes; the address is 64-byte aligned.
  var write: @Sendable (UnsafeMutableRawPointer) -> Void

  init(byteCount: Int, write: @escaping @Sendable (UnsafeMutableRawPointer) -> Void) {
    self.byteCount = byteCount
    unsafe self.write = write
  }

  /// A copy of the bytes of a constant, for one that cannot be read in place.
  init(copyOf bytes: ByteView) {
    unsafe self.init(byteCount: bytes.count) { destination in
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
