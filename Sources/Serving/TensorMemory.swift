package import ByteParsing

/// Bytes of a tensor that stay where their owner wrote them until the model reads them.
package struct TensorMemory: Sendable {
  private let file: SealedFile
  private let offset: Int
  package let byteCount: Int

  /// - Returns: nil when the file does not hold so many bytes there.
  package init?(_ file: SealedFile, offset: Int, byteCount: Int) {
    guard offset >= 0, byteCount >= 0, offset <= file.byteCount,
      byteCount <= file.byteCount - offset
    else { return nil }
    self.file = file
    self.offset = offset
    self.byteCount = byteCount
  }

  /// A part of these bytes; nil when they are fewer.
  package func part(offset: Int, byteCount: Int) -> TensorMemory? {
    guard offset >= 0, byteCount >= 0, offset <= self.byteCount,
      byteCount <= self.byteCount - offset
    else { return nil }
    return TensorMemory(file, offset: self.offset + offset, byteCount: byteCount)
  }

  /// Fills `destination` with the bytes from `offset` on.
  ///
  /// - Precondition: there are enough.
  /// - Returns: false when the system could not read them.
  @unsafe func read(at offset: Int, into destination: UnsafeMutableRawBufferPointer) -> Bool {
    precondition(offset >= 0 && destination.count <= byteCount - offset)
    return unsafe file.read(at: self.offset + offset, into: destination)
  }

  /// A copy; nil when the system could not read them.
  func copy() -> [UInt8]? {
    var isWhole = false
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      let raw = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<byteCount])
      isWhole = unsafe read(at: 0, into: raw)
      // What was not read is not shown to anybody.
      if !isWhole { unsafe raw.initializeMemory(as: UInt8.self, repeating: 0) }
      count = byteCount
    }
    return isWhole ? bytes : nil
  }
}

extension TensorMemory: Equatable {
  package static func == (left: TensorMemory, right: TensorMemory) -> Bool {
    left.file === right.file && left.offset == right.offset && left.byteCount == right.byteCount
  }
}
