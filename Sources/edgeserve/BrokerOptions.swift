import ArgumentParser
import Cryptography
import MQTT
import Publishing

/// Which brokers a fleet command talks to, and as whom.
struct BrokerOptions: ParsableArguments {
  @Option(
    help: """
      The broker: a name or address, with a port if it is not 1883, or 8883 with TLS; repeated for \
      each of several that are to hold the same.
      """)
  var broker: [String] = []

  @Option(help: "The user name for the broker.")
  var username: String?

  @Option(help: "A file whose first line is the password for the broker.")
  var passwordFile: String?

  @Flag(help: "Protect the connection; the system's authorities vouch for the broker.")
  var tls = false

  @Option(help: "Protect the connection; these authorities, in PEM, vouch for the broker.")
  var caFile: String?

  @Option(help: "This client's certificate, in PEM; needs --key-file.")
  var certificateFile: String?

  @Option(help: "The private key of the certificate, in PEM.")
  var keyFile: String?

  @Option(help: "The name of a key that client and broker share, in place of certificates.")
  var pskIdentity: String?

  @Option(help: "A file whose first line is the shared key in hexadecimal.")
  var pskFile: String?

  /// The connections that the options ask for. A broker that cannot be reached is told of and left
  /// out as long as another one can.
  func brokers() throws -> FleetBrokers {
    guard !broker.isEmpty else {
      throw CommandFailure(.badInput, "name the broker with --broker")
    }
    return FleetBrokers(try broker.map(configuration)) { broker, error in
      StandardError.line(
        "left out \(broker.host):\(broker.port), to be told later: \(CommandFailure(error).message)")
    }
  }

  /// The client's name is new each time.
  private func configuration(_ broker: String) throws -> MQTTConfiguration {
    let security = try security()
    let (host, port) = try Self.address(broker, usualPort: security == nil ? 1883 : 8883)
    var configuration = MQTTConfiguration(
      host: host, port: port, clientID: "edgeserve-publish-" + hexadecimal(try randomBytes(6)),
      username: username)
    configuration.security = security
    if let passwordFile {
      guard username != nil else {
        throw CommandFailure(.badInput, "--password-file needs --username")
      }
      configuration.password = try Self.firstLine(passwordFile)
    }
    return configuration
  }

  private func security() throws -> MQTTSecurity? {
    switch (pskIdentity, pskFile) {
    case (let identity?, let path?):
      guard !tls, caFile == nil, certificateFile == nil, keyFile == nil else {
        throw CommandFailure(.badInput, "choose a shared key or certificates, not both")
      }
      let security = MQTTSecurity.sharedKey(identity: identity, key: try Self.firstLine(path))
      guard security.isValid else {
        throw CommandFailure(
          .badInput, "\(path) holds no shared key: its first line must be 16 to 128 hexadecimal digits")
      }
      return security
    case (nil, nil): return try certificates()
    default: throw CommandFailure(.badInput, "--psk-identity and --psk-file go together")
    }
  }

  private func certificates() throws -> MQTTSecurity? {
    switch (certificateFile, keyFile) {
    case (let certificate?, let key?):
      return .certificates(
        authority: caFile, client: .init(certificate: certificate, key: key))
    case (nil, nil):
      return tls || caFile != nil ? .certificates(authority: caFile, client: nil) : nil
    default: throw CommandFailure(.badInput, "--certificate-file and --key-file go together")
    }
  }

  /// Splits `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
  static func address(_ text: String, usualPort: Int = 1883) throws -> (host: String, port: Int) {
    var host = Substring(text)
    var port: Substring?
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else {
        throw CommandFailure(.badInput, "'\(text)' is no broker: use HOST or HOST:PORT")
      }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.lastIndex(of: ":"), text.firstIndex(of: ":") == colon {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    let number = port.map { Int($0) } ?? usualPort
    guard !host.isEmpty, let number, (1...65535).contains(number) else {
      throw CommandFailure(.badInput, "'\(text)' is no broker: use HOST or HOST:PORT")
    }
    return (String(host), number)
  }

  private static func firstLine(_ path: String) throws -> String {
    do throws(PublishingError) {
      let bytes = try readFile(path, limit: 4096)
      return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    } catch {
      throw CommandFailure(error)
    }
  }
}
