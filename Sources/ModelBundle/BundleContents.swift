import ByteParsing
import Cryptography

/// What goes into a bundle.
package struct BundleContents: Sendable {
  /// The model's name.
  package var modelName: String
  /// The model file, in its own format.
  package var model: [UInt8]
  /// The name of the model file in the bundle.
  package var modelFileName: String
  /// The names of the model's classes in order.
  package var labels: [String]
  /// What the model must answer.
  package var golden: GoldenVectors?
  /// Bytes of memory that the model needs at its high-water mark; nil when not measured.
  package var peakBytes: Int64?

  package init(
    modelName: String, model: [UInt8], modelFileName: String = "model.tflite",
    labels: [String] = [], golden: GoldenVectors? = nil, peakBytes: Int64? = nil
  ) {
    self.modelName = modelName
    self.model = model
    self.modelFileName = modelFileName
    self.labels = labels
    self.golden = golden
    self.peakBytes = peakBytes
  }

  /// The bundle; equal contents give equal bytes, and `Bundle` reads whatever this returns.
  package func encode() throws(BundleError) -> [UInt8] {
    var files: [(name: String, bytes: [UInt8])] = [(modelFileName, model)]
    var index = BundleIndex(modelName: modelName, files: [], modelFile: 0, peakBytes: peakBytes)
    if !labels.isEmpty {
      guard !labels.contains(where: { $0.utf8.contains(UInt8(ascii: "\n")) }) else { throw .labels }
      index.labelsFile = files.count
      files.append(("labels.txt", labels.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }))
    }
    if let golden {
      index.vectorsFile = files.count
      files.append(("golden.cbor", golden.encode()))
    }
    index.files = files.map { file in
      BundleIndex.File(
        name: file.name, offset: 0, size: Int64(file.bytes.count),
        sha256: SHA256.hash(file.bytes))
    }
    let bytes = BundleContents.layOut(&index, files.map(\.bytes))
    _ = try Bundle(ByteView(bytes))
    return bytes
  }

  private static func layOut(_ index: inout BundleIndex, _ files: [[UInt8]]) -> [UInt8] {
    // Offsets are written in as few bytes as they need, so the index's own size can move them once.
    var encoded: [UInt8]
    repeat {
      encoded = index.encode()
      var end = Int64(BundleLayout.headerByteCount + encoded.count)
      for i in files.indices {
        index.files[i].offset = BundleLayout.aligned(end)
        end = index.files[i].offset + Int64(files[i].count)
      }
    } while index.encode() != encoded
    let last = index.files[files.count - 1]
    var bytes = BundleLayout.magic
    bytes += littleEndian(UInt32(BundleLayout.format)) + littleEndian(UInt32(encoded.count))
    bytes += littleEndian(UInt64(last.offset + last.size)) + littleEndian(UInt64(0))
    bytes += SHA256.hash(encoded).bytes + encoded
    for (file, content) in zip(index.files, files) {
      bytes += [UInt8](repeating: 0, count: Int(file.offset) - bytes.count)
      bytes += content
    }
    return bytes
  }

  private static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * T($0))) }
  }
}
