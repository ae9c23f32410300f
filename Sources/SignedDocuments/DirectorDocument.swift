import ByteParsing
package import Cryptography

/// Which release devices of a fleet should run, who of them, and until when the word holds.
package struct DirectorDocument: Sendable, Equatable {
  /// The fleet's name.
  package var fleet: String
  /// The model's name.
  package var model: String
  /// The version of the root document that names the signing key; numbers restart with it.
  package var rootVersion: Int64
  /// Rises with each document under one root version.
  package var sequence: Int64
  /// Seconds since 1970.
  package var issued: Int64
  /// Seconds since 1970.
  package var expires: Int64
  /// What to run.
  package var target: Reference
  /// What to run when the target fails.
  package var fallback: Reference?
  /// Devices with any of these labels are meant; all devices when empty.
  package var cohortLabels: [String]
  /// Which part of them, in hundredths of a percent.
  package var percent: Int64
  /// Decides together with the device's name whether it is in that part.
  package var salt: [UInt8]
  /// Over how many seconds devices spread their start.
  package var spreadSeconds: Int64
  /// The stage of the rollout; nil outside one.
  package var stage: Int64?
  /// Devices that have not begun wait.
  package var isPaused: Bool
  /// No release below this one is installed.
  package var floor: Int64
  /// A target below the running version may be installed, down to the floor.
  package var allowsDown: Bool
  /// Encoded bytes of the largest update over links that cost, in place of each device's own
  /// bound; nil where theirs holds.
  package var meteredBytes: Int64?

  /// Everyone, in hundredths of a percent.
  package static let everyone: Int64 = 10_000

  /// A release by number and by the digest of its whole message.
  package struct Reference: Sendable, Equatable {
    package var sequence: Int64
    package var manifestSHA256: Digest

    package init(sequence: Int64, manifestSHA256: Digest) {
      self.sequence = sequence
      self.manifestSHA256 = manifestSHA256
    }
  }

  package init(
    fleet: String, model: String, rootVersion: Int64, sequence: Int64, issued: Int64,
    expires: Int64, target: Reference, fallback: Reference? = nil, cohortLabels: [String] = [],
    percent: Int64 = everyone, salt: [UInt8] = [], spreadSeconds: Int64 = 0, stage: Int64? = nil,
    isPaused: Bool = false, floor: Int64 = 0, allowsDown: Bool = false,
    meteredBytes: Int64? = nil
  ) {
    self.fleet = fleet
    self.model = model
    self.rootVersion = rootVersion
    self.sequence = sequence
    self.issued = issued
    self.expires = expires
    self.target = target
    self.fallback = fallback
    self.cohortLabels = cohortLabels
    self.percent = percent
    self.salt = salt
    self.spreadSeconds = spreadSeconds
    self.stage = stage
    self.isPaused = isPaused
    self.floor = floor
    self.allowsDown = allowsDown
    self.meteredBytes = meteredBytes
  }

  /// The bytes of the digest that place `device`: its first four decide membership, the next four
  /// the start.
  private func placement(of device: String) -> (bucket: Int64, start: UInt32) {
    let bytes = SHA256.hash(salt + Array(device.utf8)).bytes
    let words = [bytes[0..<4], bytes[4..<8]].map { $0.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } }
    return (Int64(words[0] % UInt32(DirectorDocument.everyone)), words[1])
  }

  /// Whether `device`, with its labels, is among those that are meant.
  package func includes(device: String, labels: [String]) -> Bool {
    guard cohortLabels.isEmpty || labels.contains(where: cohortLabels.contains) else {
      return false
    }
    return placement(of: device).bucket < percent
  }

  /// Seconds that `device` waits before it starts.
  package func startDelaySeconds(device: String) -> Int64 {
    spreadSeconds == 0 ? 0 : Int64(placement(of: device).start) % spreadSeconds
  }

  /// The document's bytes, which a message carries as its payload.
  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.text(1, fleet)
      map.text(2, model)
      map.unsigned(3, rootVersion)
      map.unsigned(4, sequence)
      map.unsigned(5, issued)
      map.unsigned(6, expires)
      map.field(7) { $0.map(target.write) }
      if let fallback { map.field(8) { $0.map(fallback.write) } }
      if !cohortLabels.isEmpty { map.field(9) { $0.array(cohortLabels) { $0.text($1) } } }
      map.unsigned(10, percent)
      if !salt.isEmpty { map.byteString(11, salt) }
      if spreadSeconds != 0 { map.unsigned(12, spreadSeconds) }
      if let stage { map.unsigned(13, stage) }
      if isPaused { map.boolean(14, true) }
      map.unsigned(15, floor)
      if allowsDown { map.boolean(16, true) }
      if let meteredBytes { map.unsigned(17, meteredBytes) }
    }
    return writer.bytes
  }

  /// The document in `payload`, checked in itself.
  package static func decode(_ payload: [UInt8]) throws(DocumentError) -> DirectorDocument {
    let director = try readDocument(payload) { (reader) throws(CBORError) in
      try DirectorDocument(&reader)
    }
    guard Token.isValid(director.fleet) else { throw .invalid(.fleet) }
    guard Token.isValid(director.model) else { throw .invalid(.model) }
    guard director.cohortLabels.allSatisfy(Token.isValid) else { throw .invalid(.cohort) }
    return director
  }

  private init(_ reader: inout CBORReader) throws(CBORError) {
    fleet = try reader.text(1, maximum: DocumentLimits.tokenBytes)
    model = try reader.text(2, maximum: DocumentLimits.tokenBytes)
    rootVersion = try reader.integer(3, in: positive)
    sequence = try reader.integer(4, in: positive)
    issued = try reader.integer(5, in: DocumentLimits.time)
    expires = try reader.integer(6, in: DocumentLimits.time)
    try reader.require(7)
    target = try reader.map { (item) throws(CBORError) in try Reference(&item) }
    fallback =
      try reader.has(8)
      ? try reader.map { (item) throws(CBORError) in try Reference(&item) } : nil
    cohortLabels =
      try reader.has(9)
      ? try reader.array(maximum: DocumentLimits.cohortLabels) { (item) throws(CBORError) in
        try item.text(maximum: DocumentLimits.tokenBytes)
      } : []
    percent = try reader.integer(10, in: 0...Self.everyone)
    salt = try reader.has(11) ? try reader.byteString(maximum: DocumentLimits.saltBytes) : []
    spreadSeconds = try reader.integerIfPresent(12, in: 0...2_592_000) ?? 0
    stage = try reader.integerIfPresent(13, in: 0...1_000_000)
    isPaused = try reader.flag(14)
    floor = try reader.integer(15, in: 0...Int64.max)
    allowsDown = try reader.flag(16)
    meteredBytes = try reader.integerIfPresent(17, in: byteSize)
  }
}

extension DirectorDocument.Reference {
  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    sequence = try reader.integer(1, in: positive)
    manifestSHA256 = try reader.digest(2)
  }

  fileprivate func write(_ map: inout CBORMapWriter) {
    map.unsigned(1, sequence)
    map.byteString(2, manifestSHA256.bytes)
  }
}
