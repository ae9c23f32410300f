import ArgumentParser
import Cryptography
import MQTT
import Publishing

/// Which broker a fleet command talks to, and as whom.
struct BrokerOptions: ParsableArguments {
  @Option(help: "The broker: a name or address, with a port if it is not 1883.")
  var broker: String

  @Option(help: "The user name for the broker.")
  var username: String?

  @Option(help: "A file whose first line is the password for the broker.")
  var passwordFile: String?

  /// The connection that the options ask for; the client's name is new each time.
  func configuration() throws -> MQTTConfiguration {
    let (host, port) = try Self.address(broker)
    var configuration = MQTTConfiguration(
      host: host, port: port, clientID: "edgeserve-publish-" + hexadecimal(try randomBytes(6)),
      username: username)
    if let passwordFile {
      guard username != nil else {
        throw CommandFailure(.badInput, "--password-file needs --username")
      }
      configuration.password = try Self.password(passwordFile)
    }
    return configuration
  }

  /// Splits `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
  static func address(_ text: String) throws -> (host: String, port: Int) {
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
    let number = port.map { Int($0) } ?? 1883
    guard !host.isEmpty, let number, (1...65535).contains(number) else {
      throw CommandFailure(.badInput, "'\(text)' is no broker: use HOST or HOST:PORT")
    }
    return (String(host), number)
  }

  private static func password(_ path: String) throws -> String {
    do throws(PublishingError) {
      let bytes = try readFile(path, limit: 4096)
      return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    } catch {
      throw CommandFailure(error)
    }
  }
}
