import ByteParsing

/// The word that a device is there or has gone; a CBOR map on the device's liveness topic.
package struct BirthDocument: Sendable, Equatable {
  /// Rises with each connection and is kept across restarts: a death with a lower one is stale.
  package var birth: Int64
  /// Whether the device is there; false in a death.
  package var isOnline: Bool
  /// Differs at every start of the agent, so that two of one name are told apart.
  package var boot: [UInt8]?
  /// The agent's version; births only.
  package var agent: String?
  /// The version of the topic tree; births only.
  package var protocolVersion: Int64?

  /// The word that a device is there.
  package static func birth(_ birth: Int64, boot: [UInt8], agent: String) -> BirthDocument {
    BirthDocument(birth: birth, isOnline: true, boot: boot, agent: agent, protocolVersion: 1)
  }

  /// The word that a device has gone, which is also its last will.
  package static func death(_ birth: Int64, boot: [UInt8]? = nil) -> BirthDocument {
    BirthDocument(birth: birth, isOnline: false, boot: boot)
  }

  /// The document's bytes.
  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.unsigned(1, birth)
      map.boolean(2, isOnline)
      if let boot { map.byteString(3, boot) }
      if let agent { map.text(4, agent) }
      if let protocolVersion { map.unsigned(5, protocolVersion) }
    }
    return writer.bytes
  }

  /// The document in `payload`.
  package static func decode(_ payload: [UInt8]) throws(DocumentError) -> BirthDocument {
    guard payload.count <= DocumentLimits.statusBytes else {
      throw .tooLarge(limit: DocumentLimits.statusBytes, actual: payload.count)
    }
    return try readDocument(payload) { (reader) throws(CBORError) in
      BirthDocument(
        birth: try reader.integer(1, in: 0...Int64.max),
        isOnline: try Self.required(&reader),
        boot: try reader.has(3) ? try reader.byteString(maximum: 32) : nil,
        agent: try reader.textIfPresent(4, maximum: DocumentLimits.textBytes),
        protocolVersion: try reader.integerIfPresent(5, in: 0...Int64.max))
    }
  }

  private static func required(_ reader: inout CBORReader) throws(CBORError) -> Bool {
    try reader.require(2)
    return try reader.boolean()
  }
}
