import JSONDocuments
import Logging
import Synchronization

/// One setting, by the key that it has in the configuration file.
package struct ConfigurationEntry: Codable, Sendable, Equatable {
  /// Keys of inner objects follow those of outer ones, with a point between.
  package var key: String
  /// As JSON writes it.
  package var value: String

  package init(key: String, value: String) {
    self.key = key
    self.value = value
  }

  /// Whether a running agent takes a change of it over when it is told to read its file again.
  package var isReloadable: Bool {
    ["models", "pipelines", "model_config_file", "log_level"].contains(key) || key.hasPrefix("rate_limit")
  }
}

/// The settings in force, of which some change while the agent runs.
final class CurrentConfiguration: Sendable {
  private let state: Mutex<AgentConfiguration>

  init(_ configuration: AgentConfiguration) { state = Mutex(configuration) }

  var value: AgentConfiguration { state.withLock { $0 } }

  /// Takes over what a running agent can change.
  func reload(_ configuration: AgentConfiguration) {
    state.withLock { state in
      state.models = configuration.models
      state.pipelines = configuration.pipelines
      state.modelConfigFile = configuration.modelConfigFile
      state.rateLimit = configuration.rateLimit
      state.logLevel = configuration.logLevel
    }
  }

  /// Notes models that somebody put in place of those of the file.
  func replace(_ models: [String: LocalModel]) { state.withLock { $0.models = models } }
}

extension AgentConfiguration {
  /// Every setting with its value, defaults among them, in the order of the documentation; a
  /// password's file is named, and never what is in it.
  package var entries: [ConfigurationEntry] {
    [
      Self.entry("models", models),
      Self.entry("pipelines", pipelines.mapValues(PipelineDocument.init)),
      Self.entry("model_config_file", modelConfigFile),
      Self.entry("socket", socket), Self.entry("grpc_socket", grpcSocket),
      Self.entry("memory_socket", memorySocket),
      Self.entry("tcp.address", tcp?.address), Self.entry("tcp.port", tcp?.port),
      Self.entry("tcp.token_file", tcp?.tokenFile),
      Self.entry("socket_group", socketGroup), Self.entry("admin_socket", adminSocket),
      Self.entry("admin_socket_group", adminSocketGroup),
      Self.entry("state_dir", stateDirectory),
      Self.entry("weights_cache.enabled", weightsCache.isEnabled),
      Self.entry("weights_cache.bytes_minimum", weightsCache.bytesMinimum),
      Self.entry("weights_cache.disk_maximum", weightsCache.diskBytesMaximum),
      Self.entry("weights_cache.daily_writes_maximum", weightsCache.dailyBytesMaximum),
      Self.entry("memory_budget", memoryBudget),
      Self.entry("threads", threads), Self.entry("io_threads", ioThreads),
      Self.entry("queue_depth", queueDepth), Self.entry("queue_milliseconds", queueMilliseconds),
      Self.entry("batch_rows_maximum", batchRowsMaximum), Self.entry("instances", instances),
      Self.entry("kernels", kernels), Self.entry("board", board),
      Self.entry("poll_milliseconds", pollMilliseconds),
      Self.entry("metrics_on_data_socket", metricsOnDataSocket),
      Self.entry("metrics_compatibility", metricsCompatibility.map(\.rawValue)),
      Self.entry("request_log.directory", requestLog?.directory),
      Self.entry("request_log.percent", requestLog?.percent),
      Self.entry("request_log.failures", requestLog?.failures),
      Self.entry("request_log.file_bytes", requestLog?.fileBytes),
      Self.entry("request_log.files", requestLog?.files),
      Self.entry("log_level", logLevel.rawValue),
      Self.entry("rate_limit.requests_per_second", rateLimit?.requestsPerSecond),
      Self.entry("rate_limit.burst", rateLimit?.burst),
    ] + (delivery?.entries ?? [])
  }

  /// The entries of `other` that differ from these, or that these alone have.
  package func changes(to other: AgentConfiguration) -> [ConfigurationEntry] {
    let (before, after) = (entries, other.entries)
    let gone = before.filter { old in !after.contains { $0.key == old.key } }
    return after.filter { !before.contains($0) }
      + gone.map { ConfigurationEntry(key: $0.key, value: "null") }
  }

  fileprivate static func entry(_ key: String, _ value: (some Encodable)?) -> ConfigurationEntry {
    // Every value of the configuration has a JSON form.
    let text = value.flatMap { try? JSONDocument.encode($0) } ?? Array("null".utf8)
    return ConfigurationEntry(key: key, value: String(decoding: text, as: UTF8.self))
  }
}

extension DeliveryConfiguration {
  fileprivate var entries: [ConfigurationEntry] {
    let tls = broker.protection
    return [
      ("broker.host", broker.host), ("broker.username", broker.username),
      ("broker.password_file", broker.passwordFile), ("broker.tls.ca_file", tls?.authorityFile),
      ("broker.tls.certificate_file", tls?.certificateFile), ("broker.tls.key_file", tls?.keyFile),
      ("broker.tls.psk_identity", tls?.identity), ("broker.tls.psk_file", tls?.sharedKeyFile),
      ("fleet", fleet), ("device", device), ("root_key_file", rootKeyFile),
      ("mirror", mirror), ("mirror_ca_file", mirrorAuthorityFile),
    ].map { AgentConfiguration.entry("delivery." + $0, $1) } + [
      AgentConfiguration.entry("delivery.broker.port", broker.port),
      AgentConfiguration.entry(
        "delivery.fallback_brokers", fallbackBrokers.map { "\($0.host):\($0.port)" }),
      AgentConfiguration.entry("delivery.models", models),
      AgentConfiguration.entry("delivery.labels", labels),
      AgentConfiguration.entry("delivery.metered_update_maximum", meteredBytes),
      AgentConfiguration.entry("delivery.sync_stride", syncStrideBytes),
      AgentConfiguration.entry("delivery.reconnect_minimum_ms", reconnectMinimumMilliseconds),
      AgentConfiguration.entry("delivery.reconnect_maximum_ms", reconnectMaximumMilliseconds),
    ]
  }
}
