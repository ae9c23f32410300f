import ByteParsing
import Cryptography

extension ReleaseDocument {
  /// The document's bytes, which a message carries as its payload.
  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.text(1, fleet)
      map.text(2, model)
      map.unsigned(3, sequence)
      map.text(4, versionText)
      map.unsigned(5, created)
      map.unsigned(6, rawSize)
      map.unsigned(7, Int64(blockSizeLog2))
      map.field(8) { $0.array(files) { $0.map($1.write) } }
      map.byteString(9, bundleSHA256.bytes)
      map.byteString(10, blockListSHA256.bytes)
      map.field(11) { $0.map(full.write) }
      if !deltas.isEmpty { map.field(12) { $0.array(deltas) { $0.map($1.write) } } }
      map.field(13) { $0.map(needs.write) }
      map.field(14) { $0.map(gate.write) }
      map.unsigned(15, securityFloor)
      map.unsigned(16, expires)
    }
    return writer.bytes
  }

  /// The document in `payload`, checked in itself.
  package static func decode(_ payload: [UInt8]) throws(DocumentError) -> ReleaseDocument {
    let release = try readDocument(payload) { (reader) throws(CBORError) in
      try ReleaseDocument(&reader)
    }
    try release.validate()
    return release
  }

  private init(_ reader: inout CBORReader) throws(CBORError) {
    fleet = try reader.text(1, maximum: DocumentLimits.tokenBytes)
    model = try reader.text(2, maximum: DocumentLimits.tokenBytes)
    sequence = try reader.integer(3, in: positive)
    versionText = try reader.text(4, maximum: DocumentLimits.textBytes)
    created = try reader.integer(5, in: DocumentLimits.time)
    rawSize = try reader.integer(6, in: 1...DocumentLimits.rawBytes)
    blockSizeLog2 = Int(try reader.integer(7, in: DocumentLimits.blockSizeLog2))
    try reader.require(8)
    files = try reader.array(maximum: DocumentLimits.files) { (item) throws(CBORError) in
      try item.map { (item) throws(CBORError) in try File(&item) }
    }
    bundleSHA256 = try reader.digest(9)
    blockListSHA256 = try reader.digest(10)
    try reader.require(11)
    full = try reader.map { (item) throws(CBORError) in try Object(&item, firstKey: 1) }
    deltas = []
    if try reader.has(12) {
      deltas = try reader.array(maximum: DocumentLimits.deltas) { (item) throws(CBORError) in
        try item.map { (item) throws(CBORError) in
          Delta(baseSHA256: try item.digest(1), object: try Object(&item, firstKey: 2))
        }
      }
    }
    try reader.require(13)
    needs = try reader.map { (item) throws(CBORError) in try Needs(&item) }
    try reader.require(14)
    gate = try reader.map { (item) throws(CBORError) in try Gate(&item) }
    securityFloor = try reader.integer(15, in: 0...Int64.max)
    expires = try reader.integer(16, in: DocumentLimits.time)
  }

  /// Throws unless names, sizes and counts fit together.
  private func validate() throws(DocumentError) {
    guard Token.isValid(fleet) else { throw .invalid(.fleet) }
    guard Token.isValid(model) else { throw .invalid(.model) }
    let lastSize = Int64(1) << Int64(blockSizeLog2)
    guard (rawSize + lastSize - 1) / lastSize <= DocumentLimits.blocks else {
      throw .invalid(.blockCount)
    }
    var end: Int64 = 0
    for file in files {
      guard Token.isFileName(file.name) else { throw .invalid(.fileName) }
      guard file.offset >= end, file.size <= rawSize, file.offset <= rawSize - file.size else {
        throw .invalid(.files)
      }
      end = file.offset + file.size
    }
    guard !files.isEmpty, Set(files.map(\.name)).count == files.count else {
      throw .invalid(.files)
    }
    for object in [full] + deltas.map(\.object) {
      guard Token.isObjectID(object.objectID) else { throw .invalid(.objectID) }
    }
    if let vectors = gate.vectorsFile {
      guard files.contains(where: { $0.name == vectors }) else { throw .invalid(.files) }
    }
  }
}

extension ReleaseDocument.File {
  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    name = try reader.text(1, maximum: DocumentLimits.fileNameBytes)
    offset = try reader.integer(2, in: byteSize)
    size = try reader.integer(3, in: byteSize)
    sha256 = try reader.digest(4)
  }

  fileprivate func write(_ map: inout CBORMapWriter) {
    map.text(1, name)
    map.unsigned(2, offset)
    map.unsigned(3, size)
    map.byteString(4, sha256.bytes)
  }
}

extension ReleaseDocument.Object {
  /// Reads the identifier and the bytes at `firstKey` and the key after it.
  fileprivate init(_ reader: inout CBORReader, firstKey: UInt64) throws(CBORError) {
    objectID = try reader.text(firstKey, maximum: DocumentLimits.objectIDCharacters)
    encodedBytes = try reader.integer(firstKey + 1, in: byteSize)
  }

  fileprivate func write(_ map: inout CBORMapWriter) {
    map.text(1, objectID)
    map.unsigned(2, encodedBytes)
  }
}

extension ReleaseDocument.Delta {
  fileprivate func write(_ map: inout CBORMapWriter) {
    map.byteString(1, baseSHA256.bytes)
    map.text(2, object.objectID)
    map.unsigned(3, object.encodedBytes)
  }
}

extension ReleaseDocument.Needs {
  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    runtimeMinimum = try reader.textIfPresent(1, maximum: DocumentLimits.textBytes)
    runtimeMaximum = try reader.textIfPresent(2, maximum: DocumentLimits.textBytes)
    architecture = try reader.textIfPresent(3, maximum: DocumentLimits.textBytes)
    processorFeatures = try reader.has(4) ? try reader.unsigned() : 0
    peakBytes = try reader.integerIfPresent(5, in: byteSize) ?? 0
    diskBytes = try reader.integerIfPresent(6, in: byteSize) ?? 0
  }

  fileprivate func write(_ map: inout CBORMapWriter) {
    if let runtimeMinimum { map.text(1, runtimeMinimum) }
    if let runtimeMaximum { map.text(2, runtimeMaximum) }
    if let architecture { map.text(3, architecture) }
    if processorFeatures != 0 { map.field(4) { $0.unsigned(processorFeatures) } }
    if peakBytes != 0 { map.unsigned(5, peakBytes) }
    if diskBytes != 0 { map.unsigned(6, diskBytes) }
  }
}

extension ReleaseDocument.Gate {
  /// A count, ratio or size that is at least zero.
  private static let count: ClosedRange<Int64> = 0...Int64.max

  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    vectorsFile = try reader.textIfPresent(1, maximum: DocumentLimits.fileNameBytes)
    integerTolerance = try reader.integer(2, in: 0...255)
    relativeTolerance = try reader.integer(3, in: 0...1_000_000_000)
    latencyRatioMaximum = try reader.integerIfPresent(4, in: Self.count)
    residentBytesMaximum = try reader.integerIfPresent(5, in: byteSize)
    trialMinutes = try reader.integerIfPresent(6, in: Self.count)
    trialRequestsMinimum = try reader.integerIfPresent(7, in: Self.count)
    errorRateMaximum = try reader.integerIfPresent(8, in: 0...1_000_000)
  }

  fileprivate func write(_ map: inout CBORMapWriter) {
    if let vectorsFile { map.text(1, vectorsFile) }
    map.unsigned(2, integerTolerance)
    map.unsigned(3, relativeTolerance)
    if let latencyRatioMaximum { map.unsigned(4, latencyRatioMaximum) }
    if let residentBytesMaximum { map.unsigned(5, residentBytesMaximum) }
    if let trialMinutes { map.unsigned(6, trialMinutes) }
    if let trialRequestsMinimum { map.unsigned(7, trialRequestsMinimum) }
    if let errorRateMaximum { map.unsigned(8, errorRateMaximum) }
  }
}
