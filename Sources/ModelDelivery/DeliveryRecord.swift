import ByteParsing
package import Cryptography

/// What a device must not forget: the payload of its state file.
package struct DeliveryRecord: Sendable, Equatable {
  /// The newest trusted root message; empty while the configured one holds.
  package var root: [UInt8] = []
  /// The number of the last birth.
  package var births: Int64 = 0
  /// The latest time that a signed document vouched for, in seconds since 1970.
  package var time: Int64 = 0
  package var models: [String: Model] = [:]
  /// The newest command to this device: its order and its identity.
  package var command: Director?
  /// Until when nothing is installed, in seconds since 1970; 0 until a command says so, nil when it
  /// may be.
  package var hold: Int64?

  package init() {}

  /// A version in the store.
  package struct Installed: Sendable, Equatable {
    package var version: Int64
    /// SHA-256 of the signed release message.
    package var manifest: Digest
    /// Bytes of the bundle.
    package var byteCount: Int64
    /// SHA-256 of the bundle.
    package var bundle: Digest
  }

  /// The newest director document: its order and its identity.
  package struct Director: Sendable, Equatable {
    package var rootVersion: Int64
    package var sequence: Int64
    /// SHA-256 of the signed message.
    package var digest: Digest

    func precedes(_ other: Director) -> Bool {
      (rootVersion, sequence) < (other.rootVersion, other.sequence)
    }
  }

  /// A release on trial.
  package struct Candidate: Sendable, Equatable {
    package var manifest: Digest
    /// Activations begun.
    package var attempts: Int64
    /// Why it is refused; nil while it may be tried.
    package var cause: Cause?
  }

  /// What a version on trial is held to, and how often the agent has ended on it.
  package struct Trial: Sendable, Equatable {
    /// Ends of the agent other than in order.
    package var crashes: Int64 = 0
    package var hasEndedInOrder = false
    /// Seconds that it has served on trial, over all starts of the agent; up to a minute or a
    /// twentieth of the trial less than it did.
    package var servedSeconds: Int64 = 0
    /// Requests that ended in that time.
    package var requests: Int64 = 0
    /// Failures in a million requests at most.
    package var errorRate: Int64
    /// Microseconds of the 95th percentile at most; 0 for no bound.
    package var latencyP95: Int64

    package init(errorRate: Int64, latencyP95: Int64) {
      self.errorRate = errorRate
      self.latencyP95 = latencyP95
    }
  }

  package struct Model: Sendable, Equatable {
    package var director: Director?
    package var current: Installed?
    package var previous: Installed?
    package var candidate: Candidate?
    /// The highest version that was committed.
    package var releaseSequence: Int64 = 0
    /// The lowest version that may be installed.
    package var securityFloor: Int64 = 0
    /// Of the current version; nil once it is kept.
    package var trial: Trial?
    /// It stays where a command put it.
    package var isPinned = false

    package init() {}
  }

  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.byteString(1, root)
      map.unsigned(2, births)
      map.unsigned(3, time)
      map.field(4) { writer in
        writer.array(models.sorted { $0.key < $1.key }) { writer, entry in
          writer.map { map in
            map.text(1, entry.key)
            entry.value.encode(&map)
          }
        }
      }
      if let command { map.field(5) { command.encode(&$0) } }
      if let hold { map.unsigned(6, hold) }
    }
    return writer.bytes
  }

  /// The record in `bytes`; nil when they are none.
  package init?(_ bytes: [UInt8]) {
    do throws(CBORError) {
      var reader = CBORReader(bytes)
      try reader.beginMap()
      try reader.require(1)
      root = try reader.byteString(maximum: bytes.count)
      births = try reader.natural(2)
      time = try reader.natural(3)
      try reader.require(4)
      let entries = try reader.array(maximum: DeliveryLimits.models) {
        (reader) throws(CBORError) in
        try reader.beginMap()
        try reader.require(1)
        let name = try reader.text(maximum: 64)
        let model = try Model(&reader)
        try reader.endMap()
        return (name, model)
      }
      models = Dictionary(entries) { first, _ in first }
      if try reader.has(5) { command = try Director(&reader) }
      if try reader.has(6) { hold = try reader.integer(in: 0 ... .max) }
      try reader.endMap()
      try reader.finish()
    } catch {
      return nil
    }
  }
}

extension DeliveryRecord.Model {
  fileprivate func encode(_ map: inout CBORMapWriter) {
    if let director { map.field(2) { director.encode(&$0) } }
    if let current { map.field(3) { current.encode(&$0) } }
    if let previous { map.field(4) { previous.encode(&$0) } }
    if let candidate {
      map.field(5) {
        $0.map {
          $0.byteString(1, candidate.manifest.bytes)
          $0.unsigned(2, candidate.attempts)
          if let cause = candidate.cause { $0.text(3, cause.rawValue) }
        }
      }
    }
    map.unsigned(6, releaseSequence)
    map.unsigned(7, securityFloor)
    if let trial {
      map.field(8) {
        $0.map {
          $0.unsigned(1, trial.crashes)
          $0.unsigned(2, trial.errorRate)
          $0.unsigned(3, trial.latencyP95)
          if trial.hasEndedInOrder { $0.boolean(4, true) }
          if trial.servedSeconds > 0 { $0.unsigned(5, trial.servedSeconds) }
          if trial.requests > 0 { $0.unsigned(6, trial.requests) }
        }
      }
    }
    if isPinned { map.boolean(9, true) }
  }

  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    if try reader.has(2) { director = try DeliveryRecord.Director(&reader) }
    if try reader.has(3) { current = try DeliveryRecord.Installed(&reader) }
    if try reader.has(4) { previous = try DeliveryRecord.Installed(&reader) }
    if try reader.has(5) {
      try reader.beginMap()
      candidate = DeliveryRecord.Candidate(
        manifest: try reader.sha256(1), attempts: try reader.natural(2),
        cause: try reader.has(3) ? Cause(rawValue: try reader.text(maximum: 64)) : nil)
      try reader.endMap()
    }
    releaseSequence = try reader.natural(6)
    securityFloor = try reader.natural(7)
    if try reader.has(8) { trial = try DeliveryRecord.Trial(&reader) }
    isPinned = try reader.has(9) ? try reader.boolean() : false
  }
}

extension DeliveryRecord.Director {
  fileprivate func encode(_ writer: inout CBORWriter) {
    writer.map {
      $0.unsigned(1, rootVersion)
      $0.unsigned(2, sequence)
      $0.byteString(3, digest.bytes)
    }
  }

  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    try reader.beginMap()
    self.init(
      rootVersion: try reader.natural(1), sequence: try reader.natural(2),
      digest: try reader.sha256(3))
    try reader.endMap()
  }
}

extension DeliveryRecord.Trial {
  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    try reader.beginMap()
    crashes = try reader.natural(1)
    errorRate = try reader.natural(2)
    latencyP95 = try reader.natural(3)
    hasEndedInOrder = try reader.has(4) ? try reader.boolean() : false
    if try reader.has(5) { servedSeconds = try reader.integer(in: 0...TrialLimits.secondsMaximum) }
    if try reader.has(6) { requests = try reader.integer(in: 0...TrialLimits.requestsMaximum) }
    try reader.endMap()
  }
}

extension DeliveryRecord.Installed {
  fileprivate func encode(_ writer: inout CBORWriter) {
    writer.map {
      $0.unsigned(1, version)
      $0.byteString(2, manifest.bytes)
      $0.unsigned(3, byteCount)
      $0.byteString(4, bundle.bytes)
    }
  }

  fileprivate init(_ reader: inout CBORReader) throws(CBORError) {
    try reader.beginMap()
    self.init(
      version: try reader.natural(1), manifest: try reader.sha256(2),
      byteCount: try reader.natural(3), bundle: try reader.sha256(4))
    try reader.endMap()
  }
}

extension CBORReader {
  fileprivate mutating func natural(_ key: UInt64) throws(CBORError) -> Int64 {
    try require(key)
    return try integer(in: 0 ... .max)
  }

  fileprivate mutating func sha256(_ key: UInt64) throws(CBORError) -> Digest {
    try require(key)
    let start = offset
    guard let digest = Digest(try byteString(count: Digest.byteCount)) else {
      throw .outOfRange(offset: start)
    }
    return digest
  }
}
