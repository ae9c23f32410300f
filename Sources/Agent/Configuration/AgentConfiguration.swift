package import Logging
package import Pipelines
import Serving

/// Everything the agent is told: defaults, then the file, then the environment, then flags.
package struct AgentConfiguration: Sendable, Equatable {
  /// The file read when none is named, and the only one that may be missing.
  package static let defaultPath = "/etc/edgeserve/edgeserve.json"

  /// The models of this device by their names.
  package var models: [String: LocalModel] = [:]
  /// What models answer in turn, by name; in requests as models are.
  package var pipelines: [String: PipelineDeclaration] = [:]
  /// A file of models in TensorFlow Serving's text format; nil for none.
  package var modelConfigFile: String?
  package var socket = "/run/edgeserve/edgeserve.sock"
  /// The socket of gRPC; nil for none.
  package var grpcSocket: String?
  package var adminSocket = "/run/edgeserve/admin.sock"
  /// The socket on which apps hand over memory by descriptor; nil for none.
  package var memorySocket: String?
  /// A port of this machine; nil for none.
  package var tcp: LoopbackConfiguration?
  /// The group that may use the socket; nil for that of the process.
  package var socketGroup: String?
  /// The group that may use the admin socket; nil for the agent's user alone.
  package var adminSocketGroup: String?
  package var stateDirectory = "/var/lib/edgeserve"
  package var weightsCache = WeightsCacheConfiguration()
  /// Bytes granted; nil for no budget.
  package var memoryBudget: Int?
  /// Compute threads; nil for the default.
  package var threads: Int?
  /// Threads that do socket I/O, and short inferences with it; connections are spread over them.
  package var ioThreads = 1
  /// Requests of one version that wait for their turn; more are refused.
  package var queueDepth = AgentLimits.queueDepthDefault
  /// How long they wait; nil for as long as their clients say.
  package var queueMilliseconds: Int?
  /// Rows of requests that are run together of models that say nothing of it; 1 for none.
  package var batchRowsMaximum = 1
  /// Requests of models that say nothing of it that are run side by side at most.
  package var instances = 1
  /// The name of a kernel table; nil for the best.
  package var kernels: String?
  /// The name of the board, for people.
  package var board: String?
  /// How often directories of versions are looked at.
  package var pollMilliseconds = AgentLimits.pollMilliseconds
  /// Whether clients of the data socket may read metrics too, at
  /// `/monitoring/prometheus/metrics`; the admin socket always has them, at `/metrics`.
  package var metricsOnDataSocket = false
  /// Other servers whose names metrics have too.
  package var metricsCompatibility: [MetricsCompatibility] = []
  package var requestLog: RequestLogConfiguration?
  /// From which level on entries of the log are written.
  package var logLevel = Logger.Level.info
  /// Requests that each user may send; nil for no limit.
  package var rateLimit: RateLimit?
  package var delivery: DeliveryConfiguration?

  package init() {}

  /// Models from both sources, sorted.
  package var modelNames: [String] {
    Set(models.keys).union(delivery?.models ?? []).sorted()
  }

  /// Checks what no single value shows.
  package func validate() throws(AgentError) {
    for name in modelNames where !ModelName.isValid(name) {
      throw .invalidValue(
        key: "models", value: name,
        expected: "a name of letters, digits, '.', '_' and '-', at most 64, not led by a '.'")
    }
    for name in delivery?.models ?? [] where models[name] != nil {
      throw .modelDeclaredTwice(model: name)
    }
    for (name, model) in models.sorted(by: { $0.key < $1.key }) { try model.validate(name) }
    try validatePipelines()
    if let threads, !(1...AgentLimits.threadsMaximum).contains(threads) {
      throw .invalidValue(
        key: "threads", value: String(threads), expected: "1 to \(AgentLimits.threadsMaximum)")
    }
    guard (1...AgentLimits.ioThreadsMaximum).contains(ioThreads) else {
      throw .invalidValue(
        key: "io_threads", value: String(ioThreads),
        expected: "1 to \(AgentLimits.ioThreadsMaximum)")
    }
    guard (1...AgentLimits.queueDepthMaximum).contains(queueDepth) else {
      throw .invalidValue(
        key: "queue_depth", value: String(queueDepth),
        expected: "1 to \(AgentLimits.queueDepthMaximum)")
    }
    let waits = 1...RequestTerms.timeoutMillisecondsMaximum
    if let queueMilliseconds, !waits.contains(queueMilliseconds) {
      throw .invalidValue(
        key: "queue_milliseconds", value: String(queueMilliseconds),
        expected: "1 to \(waits.upperBound)")
    }
    try Self.checkBatchRows(batchRowsMaximum, key: "batch_rows_maximum")
    try Self.checkInstances(instances, key: "instances")
    try weightsCache.validate()
    _ = try tcp?.place()
    try requestLog?.validate()
    guard (10...3_600_000).contains(pollMilliseconds) else {
      throw .invalidValue(
        key: "poll_milliseconds", value: String(pollMilliseconds), expected: "10 to 3600000")
    }
  }

  private func validatePipelines() throws(AgentError) {
    guard pipelines.count <= PipelineLimits.pipelinesMaximum else {
      throw .invalidValue(
        key: "pipelines", value: "\(pipelines.count) pipelines",
        expected: "at most \(PipelineLimits.pipelinesMaximum)")
    }
    let models = Set(modelNames)
    for (name, pipeline) in pipelines.sorted(by: { $0.key < $1.key }) {
      guard ModelName.isValid(name), !models.contains(name) else {
        throw .invalidValue(
          key: "pipelines", value: name,
          expected: "a name of letters, digits, '.', '_' and '-', at most 64, that no model has")
      }
      do throws(PipelineError) {
        // A file of models in another format is read elsewhere, before or after.
        try pipeline.validate { models.contains($0) }
      } catch {
        throw .malformed(place: "pipelines." + name, reason: error.sentence)
      }
    }
  }

  static func checkInstances(_ instances: Int, key: String) throws(AgentError) {
    let maximum = ServingLimits.instancesMaximum
    guard (1...maximum).contains(instances) else {
      throw .invalidValue(key: key, value: String(instances), expected: "1 to \(maximum)")
    }
  }

  static func checkBatchRows(_ rows: Int, key: String) throws(AgentError) {
    let maximum = ServingLimits.batchRowsMaximum
    guard (1...maximum).contains(rows) else {
      throw .invalidValue(key: key, value: String(rows), expected: "1 to \(maximum)")
    }
  }
}
