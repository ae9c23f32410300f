package import ByteParsing
package import Cryptography
import Glibc

/// A bundle that is open for reading; its parts are read from the mapping and keep it alive.
package struct Bundle: Sendable {
  /// What the bundle says about itself.
  package let index: BundleIndex
  /// The whole bundle.
  package let bytes: ByteView
  /// The model file.
  package let model: ByteView
  /// The names of the model's classes in order; empty when the bundle has none.
  package let labels: [String]
  /// The golden vectors; nil when the bundle has none.
  package let golden: GoldenVectors?

  /// Maps and checks the bundle at `path`; its files' digests are `verifyFiles`'s matter.
  package init(path: String) throws(BundleError) {
    let file: MappedFile
    do throws(ParsingError) {
      file = try MappedFile(path: path)
    } catch {
      throw .unreadable(error)
    }
    try self.init(file.bytes)
  }

  /// Checks the bundle in `bytes`.
  package init(_ bytes: ByteView) throws(BundleError) {
    let index = try Bundle.readIndex(bytes)
    self.bytes = bytes
    self.index = index
    model = try Bundle.file(index.modelFile, index, bytes)
    labels = try index.labelsFile.map { (place) throws(BundleError) in
      try Bundle.labels(in: Bundle.file(place, index, bytes))
    } ?? []
    golden = try index.vectorsFile.map { (place) throws(BundleError) in
      try GoldenVectors(decoding: Bundle.file(place, index, bytes))
    }
  }

  /// Whether the file at `path` starts as a bundle does.
  package static func isBundle(path: String) -> Bool {
    guard let start = try? MappedFile(path: path, count: BundleLayout.magic.count) else {
      return false
    }
    return start.bytes.array == BundleLayout.magic
  }

  /// Throws unless each file's bytes have the digest that the index names.
  package func verifyFiles() throws(BundleError) {
    for place in index.files.indices {
      let file = try Bundle.file(place, index, bytes)
      guard file.sha256 == index.files[place].sha256 else { throw .fileDigest(file: place) }
    }
  }

  private static func readIndex(_ bytes: ByteView) throws(BundleError) -> BundleIndex {
    guard bytes.count >= BundleLayout.headerByteCount else { throw .notABundle }
    let header = try part(bytes, 0, BundleLayout.headerByteCount).array
    guard Array(header[0..<8]) == BundleLayout.magic else { throw .notABundle }
    let format = Int(littleEndian(header[8..<12]))
    guard format == BundleLayout.format else {
      throw .unsupportedFormat(expected: BundleLayout.format, actual: format)
    }
    let indexByteCount = Int(littleEndian(header[12..<16]))
    guard (1...BundleLimits.indexBytes).contains(indexByteCount) else {
      throw .indexByteCount(limit: BundleLimits.indexBytes, actual: indexByteCount)
    }
    let size = Int64(bytes.count)
    let stated = littleEndian(header[16..<24])
    guard stated == UInt64(size) else {
      throw .wrongSize(expected: Int64(clamping: stated), actual: size)
    }
    guard header[24..<32].allSatisfy({ $0 == 0 }) else { throw .padding(offset: 24) }
    let encoded = try part(bytes, BundleLayout.headerByteCount, indexByteCount)
    guard encoded.sha256.bytes == Array(header[32..<64]) else { throw .indexDigest }
    let index: BundleIndex
    do throws(CBORError) {
      index = try BundleIndex.decode(encoded.array)
    } catch {
      throw .malformedIndex(error)
    }
    var end = Int64(BundleLayout.headerByteCount + indexByteCount)
    try index.validate(indexEnd: end, size: size)
    for file in index.files {
      let gap = try part(bytes, Int(end), Int(file.offset - end))
      guard gap.isZero else { throw .padding(offset: Int(end)) }
      end = file.offset + file.size
    }
    return index
  }

  private static func file(_ place: Int, _ index: BundleIndex, _ bytes: ByteView)
    throws(BundleError) -> ByteView
  {
    try part(bytes, Int(index.files[place].offset), Int(index.files[place].size))
  }

  private static func part(_ bytes: ByteView, _ offset: Int, _ count: Int) throws(BundleError)
    -> ByteView
  {
    do throws(ParsingError) {
      return try bytes.slice(at: offset, count: count)
    } catch {
      throw .unreadable(error)
    }
  }

  private static func labels(in file: ByteView) throws(BundleError) -> [String] {
    guard file.count <= BundleLimits.labelsBytes,
      let text = String(validating: file.array, as: UTF8.self)
    else { throw .labels }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    guard lines.count <= BundleLimits.labels else { throw .labels }
    return lines
  }

  private static func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

private let zeros = [UInt8](repeating: 0, count: Int(BundleLayout.alignment))

extension ByteView {
  /// Whether all bytes are zero; for gaps between files, which are shorter than the alignment.
  fileprivate var isZero: Bool {
    precondition(count < BundleLayout.alignment)
    // Both sides have at least `count` bytes.
    return unsafe withUnsafeBytes { bytes in
      unsafe count == 0 || memcmp(bytes.baseAddress!, zeros, count) == 0
    }
  }

  /// The digest of the view's bytes.
  package var sha256: Digest {
    // The span covers the lent bytes and does not outlive the call.
    unsafe withUnsafeBytes { bytes in
      unsafe SHA256.hash(RawSpan(_unsafeBytes: bytes))
    }
  }
}
