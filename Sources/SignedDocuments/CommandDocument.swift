import ByteParsing
import Cryptography

/// What one device is told beside its director: the models that stay at a version, and which, and
/// whether it installs anything.
///
/// Like the director's word it is the whole wish, not a step: a later one takes its place. It is
/// signed by the director's keys; its keys begin at 33, so that neither document can be read as
/// the other.
package struct CommandDocument: Sendable, Equatable {
  /// The fleet's name.
  package var fleet: String
  /// The device's name.
  package var device: String
  /// The version of the root document that names the signing key; numbers restart with it.
  package var rootVersion: Int64
  /// Rises with each command to the device under one root version.
  package var sequence: Int64
  /// Seconds since 1970.
  package var issued: Int64
  /// Seconds since 1970 after which a device that did not hear it yet does not take it up.
  package var expires: Int64
  /// The models that stay where they are told, each once.
  package var pins: [Pin]
  /// Until when the device installs nothing, in seconds since 1970; 0 until a later command lets it
  /// go, nil when it may install.
  package var hold: Int64?

  /// One model that does not follow the director.
  package struct Pin: Sendable, Equatable {
    package var model: String
    /// The version to run; nil to stay at what serves.
    package var target: DirectorDocument.Reference?

    package init(model: String, target: DirectorDocument.Reference?) {
      self.model = model
      self.target = target
    }
  }

  package init(
    fleet: String, device: String, rootVersion: Int64, sequence: Int64, issued: Int64,
    expires: Int64, pins: [Pin] = [], hold: Int64? = nil
  ) {
    self.fleet = fleet
    self.device = device
    self.rootVersion = rootVersion
    self.sequence = sequence
    self.issued = issued
    self.expires = expires
    self.pins = pins
    self.hold = hold
  }

  /// The document's bytes, which a message carries as its payload.
  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.text(33, fleet)
      map.text(34, device)
      map.unsigned(35, rootVersion)
      map.unsigned(36, sequence)
      map.unsigned(37, issued)
      map.unsigned(38, expires)
      map.field(39) { writer in
        writer.array(pins) { writer, pin in
          writer.map { map in
            map.text(1, pin.model)
            if let target = pin.target {
              map.unsigned(2, target.sequence)
              map.byteString(3, target.manifestSHA256.bytes)
            }
          }
        }
      }
      // Below 128: an agent that does not know it must not take the command for one without.
      if let hold { map.unsigned(40, hold) }
    }
    return writer.bytes
  }

  /// The document in `payload`, checked in itself.
  package static func decode(_ payload: [UInt8]) throws(DocumentError) -> CommandDocument {
    let command = try readDocument(payload) { (reader) throws(CBORError) in
      try CommandDocument(&reader)
    }
    guard Token.isValid(command.fleet) else { throw .invalid(.fleet) }
    guard Token.isValid(command.device) else { throw .invalid(.device) }
    let models = command.pins.map(\.model)
    guard models.allSatisfy({ Token.isValid($0) }), Set(models).count == models.count else {
      throw .invalid(.model)
    }
    return command
  }

  private init(_ reader: inout CBORReader) throws(CBORError) {
    fleet = try reader.text(33, maximum: DocumentLimits.tokenBytes)
    device = try reader.text(34, maximum: DocumentLimits.tokenBytes)
    rootVersion = try reader.integer(35, in: positive)
    sequence = try reader.integer(36, in: positive)
    issued = try reader.integer(37, in: DocumentLimits.time)
    expires = try reader.integer(38, in: DocumentLimits.time)
    try reader.require(39)
    pins = try reader.array(maximum: StatusDocument.modelsMaximum) { (item) throws(CBORError) in
      try item.map { (item) throws(CBORError) in
        let model = try item.text(1, maximum: DocumentLimits.tokenBytes)
        guard let sequence = try item.integerIfPresent(2, in: positive) else {
          return Pin(model: model, target: nil)
        }
        return Pin(
          model: model, target: .init(sequence: sequence, manifestSHA256: try item.digest(3)))
      }
    }
    hold = try reader.integerIfPresent(40, in: DocumentLimits.time)
  }
}

/// A device's answer to a command; a CBOR map on its acknowledgement topic.
package struct AcknowledgementDocument: Sendable, Equatable {
  /// The command's number.
  package var sequence: Int64
  /// `accepted`, or the code of why it was not.
  package var code: String

  package init(sequence: Int64, code: String) {
    self.sequence = sequence
    self.code = code
  }

  /// The code of a command that was taken up.
  package static let accepted = "accepted"

  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.unsigned(1, sequence)
      map.text(2, code)
    }
    return writer.bytes
  }

  package static func decode(_ payload: [UInt8]) throws(DocumentError) -> AcknowledgementDocument {
    guard payload.count <= DocumentLimits.statusBytes else {
      throw .tooLarge(limit: DocumentLimits.statusBytes, actual: payload.count)
    }
    return try readDocument(payload) { (reader) throws(CBORError) in
      AcknowledgementDocument(
        sequence: try reader.integer(1, in: 0...Int64.max),
        code: try reader.text(2, maximum: DocumentLimits.textBytes))
    }
  }
}
