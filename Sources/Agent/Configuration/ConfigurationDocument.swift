import JSONDocuments
import Logging
import ModelStorage

extension ConfigurationFile {
  /// The whole document.
  struct Document: Decodable {
    private let values: KeyedDecodingContainer<Key>

    enum Key: String, CodingKey, CaseIterable {
      case models, pipelines, model_config_file, socket, grpc_socket, memory_socket, tcp, socket_group
      case admin_socket
      case admin_socket_group, state_dir, memory_budget, threads, kernels, board
      case queue_depth, queue_milliseconds, batch_rows_maximum, poll_milliseconds
      case metrics_on_data_socket, metrics_compatibility
      case request_log, log_level, instances, io_threads
      case rate_limit, delivery, weights_cache
    }

    private var models: [String: LocalModel]?
    private var pipelines: [String: PipelineDocument]?
    private var modelConfigFile: String?
    private var socket: String?
    private var grpcSocket: String?
    private var memorySocket: String?
    private var tcp: Loopback?
    private var adminSocket: String?
    private var socketGroup: String?
    private var adminSocketGroup: String?
    private var stateDirectory: String?
    private var memoryBudget: Bytes?
    private var threads: Int?
    private var ioThreads: Int?
    private var queueDepth: Int?
    private var queueMilliseconds: Int?
    private var batchRowsMaximum: Int?
    private var instances: Int?
    private var kernels: String?
    private var board: String?
    private var pollMilliseconds: Int?
    private var metricsOnDataSocket: Bool?
    private var metricsCompatibility: [MetricsCompatibility]?
    private var requestLog: RequestLog?
    private var logLevel: Logger.Level?
    private var rateLimit: Rate?
    private var weightsCache: WeightsCacheConfiguration?
    private var delivery: Delivery?

    init(from decoder: any Decoder) throws {
      values = try decoder.strictContainer(keyedBy: Key.self)
      models = try values.decodeIfPresent([String: LocalModel].self, forKey: .models)
      pipelines = try values.decodeIfPresent([String: PipelineDocument].self, forKey: .pipelines)
      modelConfigFile = try values.decodeIfPresent(String.self, forKey: .model_config_file)
      socket = try values.decodeIfPresent(String.self, forKey: .socket)
      grpcSocket = try values.decodeIfPresent(String.self, forKey: .grpc_socket)
      memorySocket = try values.decodeIfPresent(String.self, forKey: .memory_socket)
      tcp = try values.decodeIfPresent(Loopback.self, forKey: .tcp)
      adminSocket = try values.decodeIfPresent(String.self, forKey: .admin_socket)
      socketGroup = try values.decodeIfPresent(String.self, forKey: .socket_group)
      adminSocketGroup = try values.decodeIfPresent(String.self, forKey: .admin_socket_group)
      stateDirectory = try values.decodeIfPresent(String.self, forKey: .state_dir)
      memoryBudget = try values.decodeIfPresent(Bytes.self, forKey: .memory_budget)
      threads = try values.decodeIfPresent(Int.self, forKey: .threads)
      ioThreads = try values.decodeIfPresent(Int.self, forKey: .io_threads)
      queueDepth = try values.decodeIfPresent(Int.self, forKey: .queue_depth)
      queueMilliseconds = try values.decodeIfPresent(Int.self, forKey: .queue_milliseconds)
      batchRowsMaximum = try values.decodeIfPresent(Int.self, forKey: .batch_rows_maximum)
      instances = try values.decodeIfPresent(Int.self, forKey: .instances)
      kernels = try values.decodeIfPresent(String.self, forKey: .kernels)
      board = try values.decodeIfPresent(String.self, forKey: .board)
      pollMilliseconds = try values.decodeIfPresent(Int.self, forKey: .poll_milliseconds)
      metricsOnDataSocket = try values.decodeIfPresent(
        Bool.self, forKey: .metrics_on_data_socket)
      metricsCompatibility = try values.decodeIfPresent(
        [String].self, forKey: .metrics_compatibility
      )?.map { try MetricsCompatibility(name: $0) }
      requestLog = try values.decodeIfPresent(RequestLog.self, forKey: .request_log)
      logLevel = try values.decodeIfPresent(String.self, forKey: .log_level).map {
        try Logger.Level(configured: $0)
      }
      rateLimit = try values.decodeIfPresent(Rate.self, forKey: .rate_limit)
      delivery = try values.decodeIfPresent(Delivery.self, forKey: .delivery)
      weightsCache = try values.decodeIfPresent(WeightsCache.self, forKey: .weights_cache)?
        .configuration
    }

    func apply(to configuration: inout AgentConfiguration) throws(AgentError) {
      if let models { configuration.models = models }
      if let pipelines { configuration.pipelines = pipelines.mapValues(\.declaration) }
      if let modelConfigFile { configuration.modelConfigFile = modelConfigFile }
      if let socket { configuration.socket = socket }
      if let grpcSocket { configuration.grpcSocket = grpcSocket }
      if let memorySocket { configuration.memorySocket = memorySocket }
      if let tcp { configuration.tcp = tcp.configuration }
      if let adminSocket { configuration.adminSocket = adminSocket }
      if let socketGroup { configuration.socketGroup = socketGroup }
      if let adminSocketGroup { configuration.adminSocketGroup = adminSocketGroup }
      if let stateDirectory { configuration.stateDirectory = stateDirectory }
      if let memoryBudget {
        guard memoryBudget.count > 0 else {
          throw .invalidValue(
            key: "memory_budget", value: String(memoryBudget.count), expected: "above zero")
        }
        configuration.memoryBudget = memoryBudget.count
      }
      if let weightsCache { configuration.weightsCache = weightsCache }
      if let threads { configuration.threads = threads }
      if let ioThreads { configuration.ioThreads = ioThreads }
      if let queueDepth { configuration.queueDepth = queueDepth }
      if let queueMilliseconds { configuration.queueMilliseconds = queueMilliseconds }
      if let batchRowsMaximum { configuration.batchRowsMaximum = batchRowsMaximum }
      if let instances { configuration.instances = instances }
      if let kernels { configuration.kernels = kernels }
      if let board { configuration.board = board }
      if let pollMilliseconds { configuration.pollMilliseconds = pollMilliseconds }
      if let metricsOnDataSocket { configuration.metricsOnDataSocket = metricsOnDataSocket }
      if let metricsCompatibility { configuration.metricsCompatibility = metricsCompatibility }
      if let requestLog { configuration.requestLog = requestLog.configuration }
      if let logLevel { configuration.logLevel = logLevel }
      if let rateLimit { configuration.rateLimit = try rateLimit.limit() }
      if let delivery { configuration.delivery = try delivery.configuration() }
    }
  }

  /// The `tcp` object.
  struct Loopback: Decodable {
    var configuration: LoopbackConfiguration

    enum Key: String, CodingKey, CaseIterable { case address, port, token_file }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: Key.self)
      configuration = LoopbackConfiguration(
        port: try values.decode(Int.self, forKey: .port),
        tokenFile: try values.decode(String.self, forKey: .token_file))
      if let address = try values.decodeIfPresent(String.self, forKey: .address) {
        configuration.address = address
      }
    }
  }

  /// The `weights_cache` object.
  struct WeightsCache: Decodable {
    var configuration = WeightsCacheConfiguration()

    enum Key: String, CodingKey, CaseIterable { case enabled, bytes_minimum, disk_maximum, daily_writes_maximum }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: Key.self)
      if let isEnabled = try values.decodeIfPresent(Bool.self, forKey: .enabled) {
        configuration.isEnabled = isEnabled
      }
      if let bytes = try values.decodeIfPresent(Bytes.self, forKey: .bytes_minimum) {
        configuration.bytesMinimum = bytes.count
      }
      if let bytes = try values.decodeIfPresent(Bytes.self, forKey: .disk_maximum) {
        configuration.diskBytesMaximum = bytes.count
      }
      if let bytes = try values.decodeIfPresent(Bytes.self, forKey: .daily_writes_maximum) {
        configuration.dailyBytesMaximum = bytes.count
      }
    }
  }

  /// The `request_log` object.
  struct RequestLog: Decodable {
    var configuration: RequestLogConfiguration

    enum Key: String, CodingKey, CaseIterable {
      case directory, percent, failures, file_bytes, files
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: Key.self)
      configuration = RequestLogConfiguration(
        directory: try values.decode(String.self, forKey: .directory),
        percent: try values.decode(Double.self, forKey: .percent))
      if let failures = try values.decodeIfPresent(Bool.self, forKey: .failures) {
        configuration.failures = failures
      }
      if let bytes = try values.decodeIfPresent(Bytes.self, forKey: .file_bytes) {
        configuration.fileBytes = bytes.count
      }
      if let files = try values.decodeIfPresent(Int.self, forKey: .files) {
        configuration.files = files
      }
    }
  }

  /// The `rate_limit` object.
  struct Rate: Decodable {
    var requestsPerSecond: Double
    var burst: Double?

    enum Key: String, CodingKey, CaseIterable { case requests_per_second, burst }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: Key.self)
      requestsPerSecond = try values.decode(Double.self, forKey: .requests_per_second)
      burst = try values.decodeIfPresent(Double.self, forKey: .burst)
    }

    func limit() throws(AgentError) -> RateLimit {
      let burst = burst ?? max(1, requestsPerSecond)
      for (key, value, least) in [
        ("requests_per_second", requestsPerSecond, 0.001), ("burst", burst, 1),
      ] where !(least...1_000_000).contains(value) {
        throw .invalidValue(
          key: "rate_limit." + key, value: "\(value)", expected: "\(least) to 1000000")
      }
      return RateLimit(requestsPerSecond: requestsPerSecond, burst: burst)
    }
  }

  /// The `delivery` object.
  struct Delivery: Decodable {
    var broker: Broker
    var fallbackBrokers: [Broker]?
    var fleet: String
    var device: String
    var rootKeyFile: String
    var models: [String]
    var labels: [String]?
    var mirror: String?
    var mirrorAuthorityFile: String?
    var metered: Bytes?
    var syncStride: Bytes?
    var reconnectMinimum: Int?
    var reconnectMaximum: Int?

    enum Key: String, CodingKey, CaseIterable {
      case broker, fallback_brokers, fleet, device, root_key_file, models, labels, mirror, mirror_ca_file
      case metered_update_maximum, sync_stride
      case reconnect_minimum_ms, reconnect_maximum_ms
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: Key.self)
      broker = try values.decode(Broker.self, forKey: .broker)
      fallbackBrokers = try values.decodeIfPresent([Broker].self, forKey: .fallback_brokers)
      fleet = try values.decode(String.self, forKey: .fleet)
      device = try values.decode(String.self, forKey: .device)
      rootKeyFile = try values.decode(String.self, forKey: .root_key_file)
      models = try values.decode([String].self, forKey: .models)
      labels = try values.decodeIfPresent([String].self, forKey: .labels)
      mirror = try values.decodeIfPresent(String.self, forKey: .mirror)
      mirrorAuthorityFile = try values.decodeIfPresent(String.self, forKey: .mirror_ca_file)
      metered = try values.decodeIfPresent(Bytes.self, forKey: .metered_update_maximum)
      syncStride = try values.decodeIfPresent(Bytes.self, forKey: .sync_stride)
      reconnectMinimum = try values.decodeIfPresent(Int.self, forKey: .reconnect_minimum_ms)
      reconnectMaximum = try values.decodeIfPresent(Int.self, forKey: .reconnect_maximum_ms)
    }

    /// Whether there is a host, and nothing that no address has or that names a user.
    private static func isAddress(_ mirror: String) -> Bool {
      let rest = mirror.drop { $0 != ":" }.dropFirst(3)
      return mirror.isMirrorAddress && mirror.utf8.count <= AgentLimits.mirrorAddressBytesMaximum
        && rest.first.map { $0.isLetter || $0.isNumber || $0 == "[" } ?? false
        && mirror.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        && !mirror.contains { "?#@".contains($0) }
    }

    func configuration() throws(AgentError) -> DeliveryConfiguration {
      let others = fallbackBrokers ?? []
      guard others.count <= AgentLimits.fallbackBrokersMaximum else {
        throw .invalidValue(
          key: "delivery.fallback_brokers", value: "\(others.count) brokers",
          expected: "at most \(AgentLimits.fallbackBrokersMaximum)")
      }
      var fallbacks: [DeliveryConfiguration.Broker] = []
      for (i, other) in others.enumerated() {
        fallbacks.append(try other.configuration(key: "delivery.fallback_brokers[\(i)]"))
      }
      for (key, value) in [
        ("reconnect_minimum_ms", reconnectMinimum), ("reconnect_maximum_ms", reconnectMaximum),
      ] {
        guard let value, !(1...3_600_000).contains(value) else { continue }
        throw .invalidValue(
          key: "delivery." + key, value: String(value), expected: "1 to 3600000")
      }
      if let mirror, mirror.holds("://"), !Self.isAddress(mirror) {
        throw .invalidValue(
          key: "delivery.mirror", value: mirror,
          expected: "a directory, or an address such as https://host/path of at most "
            + "\(AgentLimits.mirrorAddressBytesMaximum) bytes")
      }
      let strides = StorageLimits.syncStrideRange
      if let bytes = syncStride?.count, !strides.contains(bytes) || bytes.nonzeroBitCount != 1 {
        throw .invalidValue(
          key: "delivery.sync_stride", value: String(bytes),
          expected: "a power of two, \(strides.lowerBound >> 10)KiB to "
            + "\(strides.upperBound >> 20)MiB")
      }
      return DeliveryConfiguration(
        broker: try broker.configuration(key: "delivery.broker"), fallbackBrokers: fallbacks,
        fleet: fleet, device: device, rootKeyFile: rootKeyFile, models: models,
        labels: labels ?? [], mirror: mirror, mirrorAuthorityFile: mirrorAuthorityFile,
        meteredBytes: metered?.count,
        syncStrideBytes: syncStride?.count,
        reconnectMinimumMilliseconds: reconnectMinimum,
        reconnectMaximumMilliseconds: reconnectMaximum)
    }
  }
}
