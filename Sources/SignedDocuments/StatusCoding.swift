import ByteParsing

/// A count of any size.
private let count: ClosedRange<Int64> = 0...Int64.max

extension StatusDocument {
  /// The document's bytes.
  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.unsigned(1, birth)
      map.unsigned(2, sequence)
      map.text(3, agent)
      map.text(4, kernels)
      map.field(5) { $0.array(models) { $0.map($1.write) } }
      map.unsigned(6, residentBytes)
      map.unsigned(7, diskFreeBytes)
      map.unsigned(8, uptimeSeconds)
      if let temperatureMillidegrees { map.field(9) { $0.integer(temperatureMillidegrees) } }
      if let uplinkBytes { map.unsigned(10, uplinkBytes) }
      // From 128 on: a fleet machine that is older than the device passes over it.
      if let commandSequence { map.unsigned(128, commandSequence) }
      if let told { map.unsigned(129, told) }
      if let heldUntil { map.unsigned(130, heldUntil) }
    }
    return writer.bytes
  }

  /// The document in `payload`.
  package static func decode(_ payload: [UInt8]) throws(DocumentError) -> StatusDocument {
    guard payload.count <= DocumentLimits.statusBytes else {
      throw .tooLarge(limit: DocumentLimits.statusBytes, actual: payload.count)
    }
    let status = try readDocument(payload) { (reader) throws(CBORError) in
      try StatusDocument(&reader)
    }
    guard status.models.allSatisfy({ Token.isValid($0.name) }) else { throw .invalid(.model) }
    return status
  }

  private init(_ reader: inout CBORReader) throws(CBORError) {
    birth = try reader.integer(1, in: count)
    sequence = try reader.integer(2, in: count)
    agent = try reader.text(3, maximum: DocumentLimits.textBytes)
    kernels = try reader.text(4, maximum: DocumentLimits.textBytes)
    try reader.require(5)
    models = try reader.array(maximum: Self.modelsMaximum) { (item) throws(CBORError) in
      try item.map { (item) throws(CBORError) in try Model(&item) }
    }
    residentBytes = try reader.integer(6, in: count)
    diskFreeBytes = try reader.integer(7, in: count)
    uptimeSeconds = try reader.integer(8, in: count)
    temperatureMillidegrees = try reader.has(9) ? try reader.signedInteger() : nil
    uplinkBytes = try reader.integerIfPresent(10, in: count)
    commandSequence = try reader.integerIfPresent(128, in: count)
    told = try reader.integerIfPresent(129, in: DocumentLimits.time)
    heldUntil = try reader.integerIfPresent(130, in: DocumentLimits.time)
  }
}

extension StatusDocument.Model {
  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    name = try reader.text(1, maximum: DocumentLimits.tokenBytes)
    state = try reader.text(2, maximum: DocumentLimits.textBytes)
    current = try reader.integerIfPresent(3, in: positive)
    previous = try reader.integerIfPresent(4, in: positive)
    target = try reader.integerIfPresent(5, in: positive)
    progressPercent = try reader.integer(6, in: 0...100)
    cause = try reader.textIfPresent(7, maximum: DocumentLimits.textBytes)
    attempts = try reader.integer(8, in: count)
    directorSequence = try reader.integer(9, in: count)
    isStale = try reader.flag(10)
    requests = try reader.integer(11, in: count)
    errors = try reader.integer(12, in: count)
    latencyP50 = try reader.integer(13, in: count)
    latencyP99 = try reader.integer(14, in: count)
    isPinned = try reader.flag(128)
  }

  fileprivate func write(_ map: inout CBORMapWriter) {
    map.text(1, name)
    map.text(2, state)
    if let current { map.unsigned(3, current) }
    if let previous { map.unsigned(4, previous) }
    if let target { map.unsigned(5, target) }
    map.unsigned(6, progressPercent)
    if let cause { map.text(7, cause) }
    map.unsigned(8, attempts)
    map.unsigned(9, directorSequence)
    if isStale { map.boolean(10, true) }
    map.unsigned(11, requests)
    map.unsigned(12, errors)
    map.unsigned(13, latencyP50)
    map.unsigned(14, latencyP99)
    if isPinned { map.boolean(128, true) }
  }
}
