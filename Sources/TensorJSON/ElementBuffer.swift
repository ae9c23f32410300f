/// A growing run of little-endian elements of one width.
struct ElementBuffer: Sendable {
  private var storage: [UInt8]
  private(set) var byteCount = 0

  init(capacity: Int) { storage = [UInt8](repeating: 0, count: capacity) }

  /// The bytes stored so far, without the room behind them.
  consuming func finish() -> [UInt8] {
    storage.removeLast(storage.count - byteCount)
    return storage
  }

  @inline(__always)
  mutating func append<Element: FixedWidthInteger>(_ element: Element) {
    let width = MemoryLayout<Element>.size
    if storage.count - byteCount < width { grow() }
    let offset = byteCount
    // Sound: the check above leaves `width` bytes from `offset` on.
    unsafe storage.withUnsafeMutableBytes { bytes in
      unsafe bytes.storeBytes(of: element.littleEndian, toByteOffset: offset, as: Element.self)
    }
    byteCount += width
  }

  /// Appends the bytes of a string behind their length.
  mutating func append(string: [UInt8]) {
    append(UInt32(truncatingIfNeeded: string.count))
    storage.removeLast(storage.count - byteCount)
    storage.append(contentsOf: string)
    byteCount += string.count
  }

  private mutating func grow() {
    storage.append(contentsOf: repeatElement(0, count: max(64, storage.count)))
  }
}
