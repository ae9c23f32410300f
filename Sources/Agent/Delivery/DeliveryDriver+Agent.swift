package import Logging
import MQTT
import ModelDelivery
package import Serving
import SignedDocuments

/// How the agent makes its driver.
extension DeliveryDriver {
  /// A driver for what is configured, which brings versions into service through `manager`.
  ///
  /// - Parameters:
  ///   - version: the agent's version, dotted numbers.
  ///   - kernels: the kernel table in use.
  package convenience init(
    _ agent: AgentConfiguration, _ delivery: DeliveryConfiguration, manager: ModelManager,
    version: String, kernels: String, log: Logger
  ) throws {
    try self.init(
      Setup(agent, delivery, version: version, kernels: kernels), log: log, manager: manager)
  }

  convenience init(_ setup: Setup, log: Logger, manager: ModelManager) throws {
    try self.init(
      setup, log: log,
      activate: { source, completion in manager.load(source, completion: completion) },
      observe: { model, version in
        let statuses = (try? manager.service.statuses(of: model)) ?? []
        return statuses.first { $0.version == version }.map(VersionObservation.init)
      })
  }
}

extension DeliveryDriver.Setup {
  /// What is configured, with the files that it names read.
  package init(
    _ agent: AgentConfiguration, _ delivery: DeliveryConfiguration, version: String,
    kernels: String
  ) throws(AgentError) {
    let root = try Self.root(delivery)
    for (key, name) in [("fleet", delivery.fleet), ("device", delivery.device)]
      + delivery.models.map({ ("models", $0) }) + delivery.labels.map({ ("labels", $0) })
    where !Token.isValid(name) {
      throw .invalidValue(
        key: "delivery.\(key)", value: name, expected: "1 to 64 letters, digits, '_' and '-'")
    }
    guard delivery.models.count <= DeliveryLimits.models,
      Set(delivery.models).count == delivery.models.count
    else {
      throw .invalidValue(
        key: "delivery.models", value: "\(delivery.models.count) names",
        expected: "at most \(DeliveryLimits.models) different names")
    }
    let minimum = delivery.reconnectMinimumMilliseconds ?? 1_000
    self.init(
      stateDirectory: agent.stateDirectory, broker: try Self.client(delivery.broker, delivery),
      profile: DeviceProfile(
        device: delivery.device, models: delivery.models, labels: delivery.labels, root: root,
        agent: version, architecture: Self.architecture,
        memoryBudget: agent.memoryBudget.map {
          Int64(AgentMemory.modelBudget($0, deliveredModels: delivery.models.count))
        } ?? .max,
        meteredBytes: delivery.meteredBytes.map { Int64($0) },
        seed: .random(in: 1 ... .max)),
      kernels: kernels,
      backoff: MQTTBackoff(
        minimumMilliseconds: minimum,
        maximumMilliseconds: max(minimum, delivery.reconnectMaximumMilliseconds ?? 300_000)))
    for broker in delivery.fallbackBrokers {
      fallbackBrokers.append(try Self.client(broker, delivery))
    }
    mirror = delivery.mirror
    mirrorAuthorities = delivery.mirrorAuthorityFile
    syncStrideBytes = delivery.syncStrideBytes ?? syncStrideBytes
  }

  /// How to connect to `broker`, with the files that it names read.
  private static func client(
    _ broker: DeliveryConfiguration.Broker, _ delivery: DeliveryConfiguration
  ) throws(AgentError) -> MQTTConfiguration {
    var client = MQTTConfiguration(
      host: broker.host, port: broker.port, clientID: delivery.device, username: broker.username)
    if let path = broker.passwordFile {
      let bytes = try WholeFile.read(path, maximum: AgentLimits.passwordFileBytesMaximum)
      client.password = String(
        decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
    client.security = try broker.protection.map(security)
    return client
  }

  private static func security(_ protection: DeliveryConfiguration.Protection)
    throws(AgentError) -> MQTTSecurity
  {
    let problem: String
    switch (protection.identity, protection.sharedKeyFile) {
    case (let identity?, let path?):
      guard protection.authorityFile == nil, protection.certificateFile == nil,
        protection.keyFile == nil
      else {
        problem = "either certificates or a shared key"
        break
      }
      let bytes = try WholeFile.read(path, maximum: AgentLimits.passwordFileBytesMaximum)
      let key = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
      return .sharedKey(identity: identity, key: key)
    case (nil, nil):
      switch (protection.certificateFile, protection.keyFile) {
      case (let certificate?, let key?):
        return .certificates(
          authority: protection.authorityFile, client: .init(certificate: certificate, key: key))
      case (nil, nil): return .certificates(authority: protection.authorityFile, client: nil)
      default: problem = "certificate_file and key_file together"
      }
    default: problem = "psk_identity and psk_file together"
    }
    throw .invalidValue(key: "delivery.broker.tls", value: "these files", expected: problem)
  }

  private static var architecture: String {
    #if arch(arm64)
      "aarch64"
    #else
      "x86_64"
    #endif
  }

  private static func root(_ delivery: DeliveryConfiguration) throws(AgentError) -> TrustedRoot {
    let bytes = try WholeFile.read(
      delivery.rootKeyFile, maximum: AgentLimits.rootFileBytesMaximum)
    let root: TrustedRoot
    do { root = try TrustedRoot(trusting: bytes) } catch {
      throw .invalidValue(
        key: "delivery.root_key_file", value: delivery.rootKeyFile,
        expected: "a root document signed by its own keys")
    }
    guard root.document.fleet == delivery.fleet else {
      throw .invalidValue(
        key: "delivery.fleet", value: delivery.fleet,
        expected: "\(root.document.fleet), the fleet of the root document")
    }
    return root
  }
}

extension VersionObservation {
  fileprivate init(_ status: VersionStatus) {
    let latency = status.latencyMicroseconds
    self.init(
      requests: Int64(clamping: status.requests), errors: Int64(clamping: status.errors),
      latencyP50: Int64(latency.p50), latencyP95: Int64(latency.p95),
      latencyP99: Int64(latency.p99),
      residentBytes: Int64(ResidentMemory.ofThisProcess().anonymousBytes))
  }
}
