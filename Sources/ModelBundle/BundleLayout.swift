import ByteParsing
package import Cryptography

/// The layout of a bundle: a header of 64 bytes, the index in CBOR, then the files, each at the next
/// multiple of 4096 bytes with zeros before it; the last file ends the bundle.
///
/// Header: `ESBUNDLE`, format and index byte count (32 bits each, little endian), byte count of the
/// bundle (64 bits), 8 zeros, SHA-256 of the index.
enum BundleLayout {
  static let magic = Array("ESBUNDLE".utf8)
  static let format = 1
  static let headerByteCount = 64
  static let alignment: Int64 = 4096

  /// The next place for a file at or after `offset`.
  static func aligned(_ offset: Int64) -> Int64 { (offset + alignment - 1) & -alignment }
}

/// What a bundle says about itself.
package struct BundleIndex: Sendable, Equatable {
  /// The model's name.
  package var modelName: String
  /// The files in the order of their offsets.
  package var files: [File]
  /// The place in `files` of the model file.
  package var modelFile: Int
  /// The place in `files` of the labels.
  package var labelsFile: Int?
  /// The place in `files` of the golden vectors.
  package var vectorsFile: Int?
  /// Bytes of memory that the model needs at its high-water mark; nil when not measured.
  package var peakBytes: Int64?

  /// A file in the bundle.
  package struct File: Sendable, Equatable {
    package var name: String
    /// Bytes from the start of the bundle.
    package var offset: Int64
    /// Bytes of the file.
    package var size: Int64
    package var sha256: Digest
  }

  func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.text(1, modelName)
      map.field(2) { writer in
        writer.array(files) { writer, file in
          writer.map { map in
            map.text(1, file.name)
            map.unsigned(2, file.offset)
            map.unsigned(3, file.size)
            map.byteString(4, file.sha256.bytes)
          }
        }
      }
      map.unsigned(3, Int64(modelFile))
      if let labelsFile { map.unsigned(4, Int64(labelsFile)) }
      if let vectorsFile { map.unsigned(5, Int64(vectorsFile)) }
      if let peakBytes { map.unsigned(6, peakBytes) }
    }
    return writer.bytes
  }

  static func decode(_ bytes: [UInt8]) throws(CBORError) -> BundleIndex {
    var reader = CBORReader(bytes)
    try reader.beginMap()
    try reader.require(1)
    let modelName = try reader.text(maximum: BundleLimits.nameBytes)
    try reader.require(2)
    let files = try reader.array(maximum: BundleLimits.files) {
      (item) throws(CBORError) in try File(&item)
    }
    let places = 0...Int64(BundleLimits.files)
    try reader.require(3)
    let modelFile = Int(try reader.integer(in: places))
    let labelsFile = try reader.has(4) ? Int(try reader.integer(in: places)) : nil
    let vectorsFile = try reader.has(5) ? Int(try reader.integer(in: places)) : nil
    let peakBytes =
      try reader.has(6) ? try reader.integer(in: 0...BundleLimits.bundleBytes) : nil
    try reader.endMap()
    try reader.finish()
    return BundleIndex(
      modelName: modelName, files: files, modelFile: modelFile, labelsFile: labelsFile,
      vectorsFile: vectorsFile, peakBytes: peakBytes)
  }

  /// Throws unless names are fit and files lie one after another up to `size`.
  func validate(indexEnd: Int64, size: Int64) throws(BundleError) {
    guard BundleIndex.isName(modelName, allowingDots: false) else { throw .modelName }
    var end = indexEnd
    for (i, file) in files.enumerated() {
      guard BundleIndex.isName(file.name, allowingDots: true),
        !files[..<i].contains(where: { $0.name == file.name }),
        file.offset == BundleLayout.aligned(end)
      else { throw .misplacedFile(file: i) }
      end = file.offset + file.size
    }
    guard end == size else { throw .wrongSize(expected: end, actual: size) }
    for place in [modelFile, labelsFile, vectorsFile] {
      guard place.map(files.indices.contains) ?? true else { throw .missingFile }
    }
  }

  /// Whether `name` has 1 to 64 of `A-Z a-z 0-9 _ -`, and inner dots where they are allowed.
  static func isName(_ name: String, allowingDots: Bool) -> Bool {
    let bytes = name.utf8
    let dot = UInt8(ascii: ".")
    return (1...BundleLimits.nameBytes).contains(bytes.count) && bytes.first != dot
      && bytes.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        case dot: allowingDots
        default: false
        }
      }
  }
}

extension BundleIndex.File {
  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    let sizes = 0...BundleLimits.bundleBytes
    try reader.beginMap()
    try reader.require(1)
    name = try reader.text(maximum: BundleLimits.nameBytes)
    try reader.require(2)
    offset = try reader.integer(in: sizes)
    try reader.require(3)
    size = try reader.integer(in: sizes)
    try reader.require(4)
    let start = reader.offset
    guard let digest = Digest(try reader.byteString(count: Digest.byteCount)) else {
      throw .outOfRange(offset: start)
    }
    sha256 = digest
    try reader.endMap()
  }
}
