import Glibc
import MQTT
import TestSupport
import Testing

@Suite("MQTT over TLS against a real broker")
struct MQTTSecurityTests {
  /// Authorities, a server's and a client's certificate, and a foreign authority, made by openssl.
  private struct Certificates {
    let directory = TemporaryDirectory("tls")

    init() throws {
      directory.write("san", "subjectAltName=IP:127.0.0.1\n")
      directory.write("psk", "device-1:00112233445566778899aabbccddeeff\n")
      let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
      for name in ["ca", "foreign"] {
        try run("req -x509 \(key) -keyout \(name).key -out \(name).pem -subj /CN=\(name) -days 2")
      }
      for name in ["server", "client"] {
        try run("req \(key) -keyout \(name).key -out \(name).csr -subj /CN=\(name)")
        try run(
          "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -out \(name).pem "
            + "-days 2 -extfile san")
      }
    }

    func path(_ name: String) -> String { "\(directory.path)/\(name)" }

    private func run(_ arguments: String) throws {
      let command = "cd \(directory.path) && openssl \(arguments) 2>/dev/null"
      // Sound: the command is a string of this test's own, and the stream is closed once.
      guard let stream = unsafe popen(command, "r") else {
        Issue.record("no process for openssl")
        return
      }
      let status = unsafe pclose(stream)
      #expect(status == 0, "\(command)")
    }
  }

  private func outcome(_ broker: Broker, _ security: MQTTSecurity?) throws -> MQTTEvent? {
    var configuration = MQTTConfiguration(
      host: broker.host, port: broker.port, clientID: "client")
    configuration.security = security
    configuration.connectTimeoutMilliseconds = 3_000
    let client = try MQTTClient(configuration)
    try client.connect()
    for _ in 0..<200 {
      for event in client.poll(timeoutMilliseconds: 50) {
        switch event {
        case .connected, .disconnected: return event
        default: break
        }
      }
    }
    return nil
  }

  private func server(_ files: Certificates, _ extra: [String] = []) throws -> Broker {
    try Broker(
      extra: [
        "cafile \(files.path("ca.pem"))", "certfile \(files.path("server.pem"))",
        "keyfile \(files.path("server.key"))",
      ] + extra)
  }

  @Test("a broker is believed when the given authority vouches for it, and no other")
  func authority() throws {
    let files = try Certificates()
    let broker = try server(files)
    defer { broker.kill() }
    let trusted = MQTTSecurity.certificates(authority: files.path("ca.pem"), client: nil)
    #expect(try outcome(broker, trusted) == .connected)
    for security in [
      .certificates(authority: files.path("foreign.pem"), client: nil),
      .certificates(authority: nil, client: nil), nil,
    ] as [MQTTSecurity?] {
      guard case .disconnected = try outcome(broker, security) else {
        Issue.record("\(security.map { "\($0)" } ?? "plain") connects")
        continue
      }
    }
  }

  @Test("a broker that asks for a certificate takes the client that has one")
  func clientCertificate() throws {
    let files = try Certificates()
    let broker = try server(files, ["require_certificate true"])
    defer { broker.kill() }
    let own = MQTTSecurity.ClientCertificate(
      certificate: files.path("client.pem"), key: files.path("client.key"))
    let authority = files.path("ca.pem")
    #expect(
      try outcome(broker, .certificates(authority: authority, client: own)) == .connected)
    #expect(
      try outcome(broker, .certificates(authority: authority, client: nil)) != .connected)
  }

  @Test("a shared key opens the connection, another one does not")
  func sharedKey() throws {
    let files = try Certificates()
    let broker = try Broker(extra: ["psk_hint fleet", "psk_file \(files.path("psk"))"])
    defer { broker.kill() }
    let key = "00112233445566778899aabbccddeeff"
    #expect(try outcome(broker, .sharedKey(identity: "device-1", key: key)) == .connected)
    #expect(
      try outcome(broker, .sharedKey(identity: "device-1", key: String(key.reversed())))
        != .connected)
    #expect(throws: MQTTError.invalidConfiguration(field: .security)) {
      try MQTTClient(self.psk(broker, "not hexadecimal!"))
    }
  }

  private func psk(_ broker: Broker, _ key: String) -> MQTTConfiguration {
    var configuration = MQTTConfiguration(host: broker.host, port: broker.port, clientID: "a")
    configuration.security = .sharedKey(identity: "device-1", key: key)
    return configuration
  }

  @Test("a window of blocks of 64 KiB comes whole, and at once")
  func window() throws {
    let files = try Certificates()
    let broker = try server(files)
    defer { broker.kill() }
    var configuration = MQTTConfiguration(
      host: broker.host, port: broker.port, clientID: "client")
    configuration.security = .certificates(authority: files.path("ca.pem"), client: nil)
    let client = try MQTTClient(configuration)
    try client.connect()
    let topics = (0..<40).map { "o/x/\($0)" }
    var (published, received) = (0, 0)
    for _ in 0..<400 where received < topics.count {
      for event in client.poll(timeoutMilliseconds: 50) {
        switch event {
        case .connected:
          for topic in topics {
            try client.publish(
              MQTTMessage(
                topic: topic, payload: [UInt8](repeating: 7, count: 65_536),
                quality: .atLeastOnce, retained: true))
          }
        case .published:
          published += 1
          if published == topics.count { try client.subscribe(topics) }
        case .message(let message):
          #expect(message.payload.count == 65_536)
          received += 1
        default: break
        }
      }
    }
    #expect(received == topics.count)
  }
}
