package import ByteParsing
package import Cryptography

/// A file of packed weights: a page that says what they are, then the weights as they lie in memory.
///
/// What protects what: the weights are synced before the file gets its name, so that a power cut leaves
/// it whole or not there; the checksum, taken over all of the weights at each load, finds what a file
/// system or a storage that breaks this promise leaves, and bits that rot. It is no signature: whoever
/// can write to the state directory can change what serves.
package struct PackedWeightsFile: Sendable {
  /// What the first page says.
  package struct Header: Sendable, Equatable {
    /// `checksum` of all that decides what the bytes are, but for the model.
    package var layout: UInt64
    /// SHA-256 of the model in its own format.
    package var model: Digest
    /// The model's file when it was packed; nil when that does not vouch for its content.
    package var stamp: FileStamp?
    package var byteCount: Int
    /// `checksum` of the weights.
    package var checksum: UInt64

    package init(
      layout: UInt64, model: Digest, stamp: FileStamp?, byteCount: Int, checksum: UInt64
    ) {
      self.layout = layout
      self.model = model
      self.stamp = stamp
      self.byteCount = byteCount
      self.checksum = checksum
    }
  }

  /// Bytes before the weights; a page, so that they are aligned in a mapping.
  package static let headerBytes = 4096
  private static let magic = Array("edgepack".utf8)
  private static let format: UInt32 = 2
  /// Bytes of the header that are not zero: 5 numbers, a digest, a stamp of 4 numbers, the checksum.
  private static let usedBytes = 5 * 8 + Digest.byteCount + 4 * 8 + 4

  package let header: Header
  package let weights: ByteView

  /// Reads the header; nil when it is damaged, of another format, or the file has another length than it
  /// says.
  package init?(_ file: ByteView) {
    guard let page = try? file.slice(at: 0, count: Self.headerBytes),
      let header = Header(page.array),
      let weights = try? file.slice(at: Self.headerBytes, count: header.byteCount),
      file.count == Self.headerBytes + header.byteCount
    else { return nil }
    self.header = header
    self.weights = weights
  }

  /// Whether the weights are those that were written.
  package var isWhole: Bool {
    unsafe weights.withUnsafeBytes { unsafe Self.checksum($0) } == header.checksum
  }

  // MARK: Writing

  /// Makes the file at `path`, in place of any other; it is durable on return. When this throws, the file
  /// is whole or not there, and nothing else of it is left but what a power cut leaves.
  ///
  /// - Parameter bytes: gives so many of the weights, from an offset on.
  package static func write(
    _ header: Header, at path: StoragePath, _ files: any FileSystem,
    bytes: (_ offset: Int, _ count: Int) -> [UInt8]
  ) throws(StorageError) {
    for depth in 1..<path.components.count {
      try files.createDirectory(StoragePath(Array(path.components[..<depth])))
    }
    let fresh = path.parent.appending(freshName(path))
    try files.remove(fresh, directory: false)
    do {
      try fill(fresh, header, files, bytes)
      try files.remove(path, directory: false)
      try files.rename(fresh, to: path)
      try files.synchronizeDirectory(path.parent)
    } catch {
      try? files.remove(fresh, directory: false)
      throw error
    }
  }

  private static func fill(
    _ path: StoragePath, _ header: Header, _ files: any FileSystem,
    _ bytes: (_ offset: Int, _ count: Int) -> [UInt8]
  ) throws(StorageError) {
    let file = try files.open(path, creating: true)
    defer { files.close(file) }
    try files.reserve(file, byteCount: headerBytes + header.byteCount)
    try files.write(file, header.page, at: 0)
    for offset in stride(from: 0, to: header.byteCount, by: StorageLimits.packedWriteBytes) {
      let count = min(StorageLimits.packedWriteBytes, header.byteCount - offset)
      try files.write(file, bytes(offset, count), at: headerBytes + offset)
    }
    try files.synchronize(file)
  }

  /// Notes another stamp of the same model, so that it need not be hashed again; a cut leaves a header
  /// that is found to be damaged.
  package static func restamp(
    _ header: Header, at path: StoragePath, _ files: any FileSystem
  ) throws(StorageError) {
    let file = try files.open(path, creating: false)
    defer { files.close(file) }
    try files.write(file, header.page, at: 0)
    try files.synchronize(file)
  }

  private static func freshName(_ path: StoragePath) -> String {
    path.components[path.components.count - 1] + ".new"
  }

  // MARK: Checksum

  /// 64 bits over `bytes`: four lanes of words, each taken in by a step that can be undone, so that one
  /// changed word always shows, and several show but for one time in 2⁶⁴.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var (first, second, third, fourth) = (1 as UInt64, 2 as UInt64, 3 as UInt64, 4 as UInt64)
    let end = bytes.count & ~31
    for offset in stride(from: 0, to: end, by: 32) {
      // Sound: the four words end within the bytes.
      let words = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
      first = mixed(first, words[0])
      second = mixed(second, words[1])
      third = mixed(third, words[2])
      fourth = mixed(fourth, words[3])
    }
    var sum = UInt64(bytes.count)
    for offset in end..<bytes.count { sum = unsafe mixed(sum, UInt64(bytes[offset])) }
    for lane in [first, second, third, fourth] { sum = mixed(sum, lane) }
    return sum
  }

  private static let factor: UInt64 = 0x9E37_79B9_7F4A_7C15

  @inline(__always)
  private static func mixed(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    let product = (lane ^ word) &* factor
    return product &<< 31 | product &>> 33
  }
}

extension PackedWeightsFile.Header {
  /// The page as it is in the file; numbers little-endian.
  fileprivate var page: [UInt8] {
    let none = FileStamp(inode: 0, byteCount: 0, modified: 0, changed: 0)
    let stamp = stamp ?? none
    var bytes = PackedWeightsFile.magic
    bytes.append(number: UInt64(PackedWeightsFile.format))
    bytes.append(number: UInt64(byteCount))
    bytes.append(number: checksum)
    bytes.append(number: layout)
    bytes += model.bytes
    bytes.append(number: stamp.inode)
    for value in [stamp.byteCount, stamp.modified, stamp.changed] {
      bytes.append(number: UInt64(bitPattern: value))
    }
    bytes.append(number: UInt64(CRC32C.checksum(bytes)), byteCount: 4)
    bytes += [UInt8](repeating: 0, count: PackedWeightsFile.headerBytes - bytes.count)
    return bytes
  }

  /// Nil when the page is none that `page` makes.
  fileprivate init?(_ page: [UInt8]) {
    let sumAt = PackedWeightsFile.usedBytes - 4
    guard page.starts(with: PackedWeightsFile.magic),
      page.number(at: 8) == UInt64(PackedWeightsFile.format),
      page.number(at: sumAt, byteCount: 4) == UInt64(CRC32C.checksum(page[..<sumAt])),
      let byteCount = Int(exactly: page.number(at: 16)),
      byteCount <= StorageLimits.packedBytesMaximum,
      let model = Digest(Array(page[40..<72]))
    else { return nil }
    let stamp = FileStamp(
      inode: page.number(at: 72), byteCount: Int64(bitPattern: page.number(at: 80)),
      modified: Int64(bitPattern: page.number(at: 88)),
      changed: Int64(bitPattern: page.number(at: 96)))
    self.init(
      layout: page.number(at: 32), model: model, stamp: stamp.inode == 0 ? nil : stamp, byteCount: byteCount,
      checksum: page.number(at: 24))
  }
}

extension [UInt8] {
  fileprivate mutating func append(number: UInt64, byteCount: Int = 8) {
    for place in 0..<byteCount { append(UInt8(truncatingIfNeeded: number >> UInt64(8 * place))) }
  }

  fileprivate func number(at offset: Int, byteCount: Int = 8) -> UInt64 {
    self[offset..<offset + byteCount].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
