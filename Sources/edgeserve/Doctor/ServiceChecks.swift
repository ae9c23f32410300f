import Agent
import BoardProfiles
import Glibc
import JSONDocuments
import MQTT
import Transport

/// Looks at what the agent works with: keys, broker and sockets, and the agent itself.
struct ServiceChecks {
  let configuration: AgentConfiguration
  let version: String
  var facts = SystemFacts()

  func findings() -> [Finding] {
    let status = try? running()
    let writes = status.flatMap { self.writes($0.agent) }
    return [sockets(status), keys()].compactMap(\.self) + brokers() + [writes].compactMap(\.self)
      + agent(status)
  }

  /// How long the broker may take to answer.
  private static let brokerMilliseconds = 5000

  private func running() throws -> AgentStatus {
    var client = UnixHTTPClient(path: configuration.adminSocket)
    return try AgentStatus(json: client.request(method: "GET", path: "/status").body)
  }

  private func sockets(_ status: AgentStatus?) -> Finding {
    var client = UnixHTTPClient(path: configuration.socket)
    do throws(TransportError) {
      let response = try client.request(method: "GET", path: "/v2/health/live")
      guard response.status == 200 else {
        return .problem(
          "sockets", "\(configuration.socket) answers with status \(response.status).",
          "Is it the agent's? Restart the service.")
      }
    } catch {
      let isThere = unsafe access(configuration.socket, F_OK) == 0
      return .problem(
        "sockets", error.sentence,
        isThere
          ? "Start the agent; apps of other users must be members of the socket's group."
          : "Start the agent: `systemctl start edgeserve`, or `edgeserve run`.")
    }
    guard status != nil else {
      return .warning(
        "sockets", "\(configuration.socket) answers, and \(configuration.adminSocket) does not.",
        "Run this as root or as the agent's user; or set \"admin_socket_group\".")
    }
    return .ok("sockets", "\(configuration.socket) answers.")
  }

  private func keys() -> Finding? {
    guard let delivery = configuration.delivery else { return nil }
    do {
      _ = try DeliveryDriver.Setup(configuration, delivery, version: version, kernels: "none")
      return .ok("keys", "\(delivery.rootKeyFile) is the root of fleet \(delivery.fleet).")
    } catch {
      return .problem(
        "keys", error.sentence,
        "Copy root.cose of the fleet to the device, and check names and permissions.")
    }
  }

  /// One for each broker that is configured.
  private func brokers() -> [Finding] {
    guard let delivery = configuration.delivery,
      let setup = try? DeliveryDriver.Setup(
        configuration, delivery, version: version, kernels: "none")
    else { return [] }
    return ([setup.broker] + setup.fallbackBrokers).map(finding) + mirror(delivery)
  }

  /// Nothing for a mirror that is a directory, or none.
  private func mirror(_ delivery: DeliveryConfiguration) -> [Finding] {
    guard let mirror = delivery.mirror, mirror.isMirrorAddress, !HTTPMirror.isAvailable else {
      return []
    }
    return [
      .problem(
        "broker", "the mirror \(mirror) is not asked: \(HTTPMirror.absence).",
        "Install the package libcurl4, or take \"mirror\" out of the configuration.")
    ]
  }

  private func finding(_ configured: MQTTConfiguration) -> Finding {
    let name = "\(configured.host):\(configured.port)"
    var broker = configured
    // A second client of the device's own name would put the agent off.
    broker.clientID = "doctor-" + broker.clientID
    broker.connectTimeoutMilliseconds = Self.brokerMilliseconds
    let reason: String
    do throws(MQTTError) {
      let client = try MQTTClient(broker)
      try client.connect()
      defer { client.disconnect() }
      switch outcome(of: client) {
      case nil: return .ok("broker", "\(name) lets this device in.")
      case let why?: reason = why
      }
    } catch {
      reason = "the MQTT client refused: \(error)"
    }
    return .problem(
      "broker", "\(name): \(reason).",
      "Check address, network, certificates and password; `edgeserve acl` shows what a broker needs."
    )
  }

  /// Nil when the broker accepted the connection.
  private func outcome(of client: MQTTClient) -> String? {
    for _ in 0..<Self.brokerMilliseconds / 100 {
      for event in client.poll(timeoutMilliseconds: 100) {
        switch event {
        case .connected: return nil
        case .disconnected(let why): return CommandFailure.sentence(why)
        default: continue
        }
      }
    }
    return CommandFailure.sentence(.timedOut)
  }

  /// What the agent wrote, beside what the board's storage bears; nil where either is not known.
  func writes(_ agent: AgentStatus.Process) -> Finding? {
    guard let profile = configuration.board.flatMap(BoardCatalogue.named),
      let bytes = facts.writtenBytes(of: agent.pid)
    else { return nil }
    // What was written in less than a day counts as the day's.
    let daily = Int(Double(bytes) / max(1, Double(agent.uptimeSeconds) / 86_400))
    let maximum = profile.choices.dailyWritesMebibytes << 20
    let storage = profile.facts.storage.rawValue
    guard daily > maximum else {
      return .ok(
        "writes",
        "\(ByteSize.describe(bytes)) in \(StatusScreen.duration(agent.uptimeSeconds)); "
          + "\(ByteSize.describe(maximum)) a day are right for \(storage).")
    }
    return .warning(
      "writes",
      "\(ByteSize.describe(daily)) a day; \(ByteSize.describe(maximum)) are right for \(storage).",
      "Publish less often or with --base, or set \"state_dir\" to a disk that bears it.")
  }

  /// What the agent itself complains of.
  private func agent(_ status: AgentStatus?) -> [Finding] {
    guard let status else { return [] }
    guard !status.problems.isEmpty else {
      return [.ok("agent", "Version \(status.agent.version), in good health.")]
    }
    return status.problems.map { sentence in
      let cause = CauseSentence.codes.first { sentence.holds("(\($0))") }
      let remedy = cause.map(CauseSentence.of) ?? "See `edgeserve status`."
      return status.health == .failing
        ? .problem("agent", sentence, remedy) : .warning("agent", sentence, remedy)
    }
  }
}
