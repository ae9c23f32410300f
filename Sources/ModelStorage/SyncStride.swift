/// When the blocks of a staged file are to be made durable: as soon as a stride of the file is
/// whole, wherever in it they came in, or as many bytes wait as a stride has.
///
/// Strides begin at multiples of their size, so that storage that erases as many bytes at once is
/// given them together. Never do more bytes wait than a stride and one write.
struct SyncStride {
  private let strideBytes: Int
  private let byteCount: Int
  /// Bytes of each stride that were written since the file was opened.
  private var written: [Int]
  /// Bytes that are not durable.
  private(set) var waiting = 0

  /// - Parameter byteCount: bytes of the whole file.
  init(_ strideBytes: Int, byteCount: Int) {
    self.strideBytes = strideBytes
    self.byteCount = byteCount
    written = [Int](repeating: 0, count: (byteCount + strideBytes - 1) / strideBytes)
  }

  /// Takes in that bytes were written; true when what waits is to be made durable.
  mutating func wrote(_ count: Int, at offset: Int) -> Bool {
    waiting += count
    var isWhole = false
    var start = offset
    while start < offset + count {
      let stride = start / strideBytes
      let end = min((stride + 1) * strideBytes, offset + count)
      written[stride] += end - start
      isWhole = isWhole || written[stride] >= min(strideBytes, byteCount - stride * strideBytes)
      start = end
    }
    return isWhole || waiting >= strideBytes
  }

  mutating func synchronized() { waiting = 0 }
}
