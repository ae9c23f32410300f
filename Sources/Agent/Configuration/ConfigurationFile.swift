import JSONDocuments

/// The document form of the configuration: JSON5, with no key unknown.
enum ConfigurationFile {
  /// Applies the document in `bytes` to `configuration`.
  static func apply(
    _ bytes: [UInt8], to configuration: inout AgentConfiguration
  ) throws(AgentError) {
    let document: Document
    do {
      document = try JSONDocument.decode(Document.self, from: bytes)
    } catch let error as AgentError {
      throw error
    } catch let error as JSONSyntaxError {
      throw .malformed(
        place: "line \(error.line), column \(error.column)", reason: error.cause.rawValue)
    } catch let error as DecodingError {
      throw translate(error)
    } catch {
      throw .malformed(place: "the start", reason: String(describing: error))
    }
    try document.apply(to: &configuration)
  }

  private static func translate(_ error: DecodingError) -> AgentError {
    switch error {
    case .keyNotFound(let key, let context):
      .missingKey(key: place(context.codingPath + [key]))
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      .malformed(place: place(context.codingPath), reason: context.debugDescription)
    case .dataCorrupted(let context):
      .malformed(place: place(context.codingPath), reason: context.debugDescription)
    @unknown default:
      .malformed(place: "an unknown place", reason: "it cannot be decoded")
    }
  }

  private static func place(_ path: [any CodingKey]) -> String {
    path.isEmpty ? "its top level" : path.map(\.stringValue).joined(separator: ".")
  }

  /// A number of bytes, as a number or with a unit.
  struct Bytes: Decodable {
    var count: Int

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let count = try? container.decode(Int.self) {
        self.count = count
        return
      }
      count = try ByteSize.parse(
        container.decode(String.self), key: decoder.codingPath.last?.stringValue ?? "size")
    }
  }

  struct Broker: Decodable {
    var host: String
    var port: Int?
    var username: String?
    var password_file: String?
    var tls: Protection?

    enum Key: String, CodingKey, CaseIterable { case host, port, username, password_file, tls }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: Key.self)
      host = try values.decode(String.self, forKey: .host)
      port = try values.decodeIfPresent(Int.self, forKey: .port)
      username = try values.decodeIfPresent(String.self, forKey: .username)
      password_file = try values.decodeIfPresent(String.self, forKey: .password_file)
      tls = try values.decodeIfPresent(Protection.self, forKey: .tls)
    }

    func configuration(key: String) throws(AgentError) -> DeliveryConfiguration.Broker {
      let port = port ?? (tls == nil ? 1883 : 8883)
      guard (1...65_535).contains(port) else {
        throw .invalidValue(key: key + ".port", value: String(port), expected: "1 to 65535")
      }
      return DeliveryConfiguration.Broker(
        host: host, port: port, username: username, passwordFile: password_file,
        protection: tls?.files)
    }
  }

  /// The `tls` object of a broker; empty for a certificate that the system's authorities vouch for.
  struct Protection: Decodable {
    var files: DeliveryConfiguration.Protection

    enum Key: String, CodingKey, CaseIterable {
      case ca_file, certificate_file, key_file, psk_identity, psk_file
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: Key.self)
      files = DeliveryConfiguration.Protection(
        authorityFile: try values.decodeIfPresent(String.self, forKey: .ca_file),
        certificateFile: try values.decodeIfPresent(String.self, forKey: .certificate_file),
        keyFile: try values.decodeIfPresent(String.self, forKey: .key_file),
        identity: try values.decodeIfPresent(String.self, forKey: .psk_identity),
        sharedKeyFile: try values.decodeIfPresent(String.self, forKey: .psk_file))
    }
  }
}
