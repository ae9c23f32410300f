package import KernelInterface
package import Logging
import Pipelines
package import Serving
package import Transport

/// One public protocol: answers the requests whose path is its own, and says whether it did.
package typealias HTTPRoutes =
  @Sendable (HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void) -> Bool

/// Brings versions from elsewhere, in the background.
package protocol DeliveryService: Sendable {
  /// Begins; blocks until the stored versions were handed to the manager, and on no network.
  func start()
  func status() -> DeliveryStatus
  /// Installs the release in the file at `path`, with the checks of one from a broker.
  func install(_ path: String, completion: @escaping InstallCompletion)
  /// Blocks until its thread has ended.
  func shutdown()
}

/// The agent of a device: sockets, models, delivery, and their orderly end.
package final class Agent: Sendable {
  /// What the agent is made of that lies in other rows.
  package struct Parts: Sendable {
    package var table: KernelTable
    /// The version of this program.
    package var version: String
    /// Tells this program from every other, for what it keeps in files of its own.
    package var build: String
    /// Makes the public protocols, in the order they are asked.
    package var routes: @Sendable (InferenceService) -> [HTTPRoutes]
    /// The model that a request with this method and path sends tensors to; nil for none.
    package var target: @Sendable (_ method: String, _ path: String) -> String? = { _, _ in nil }
    /// Opens the socket of remote procedure calls; nil when this build has none.
    package var remoteCalls:
      (@Sendable (RemoteCallSettings) throws(TransportError) -> any RemoteCallServer)?
    /// Makes the delivery service; called when delivery is configured.
    package var delivery:
      (@Sendable (AgentConfiguration, DeliveryConfiguration, ModelManager, Logger) throws ->
        any DeliveryService)?
    /// Sockets that the service manager opened.
    package var inherited = InheritedSockets()

    package init(
      table: KernelTable, version: String, build: String = "",
      routes: @escaping @Sendable (InferenceService) -> [HTTPRoutes],
      remoteCalls: (
        @Sendable (RemoteCallSettings) throws(TransportError) -> any RemoteCallServer
      )? = nil,
      delivery: (
        @Sendable (AgentConfiguration, DeliveryConfiguration, ModelManager, Logger) throws ->
          any DeliveryService
      )? = nil
    ) {
      self.table = table
      self.version = version
      self.build = build
      self.routes = routes
      self.remoteCalls = remoteCalls
      self.delivery = delivery
    }
  }

  package let manager: ModelManager
  private let current: CurrentConfiguration
  private let log: Logger
  private let report: StatusReport
  private let limiter: RateLimiter
  private let memory: AgentMemory
  private let requestLog: RequestLog?
  private let stores: LocalStores
  private let pipelines: PipelineSet
  private let delivery: (any DeliveryService)?
  private let thread: EventLoopThread
  private let servers: AgentSockets.Servers
  private let remoteCallServer: (any RemoteCallServer)?
  private let memorySocket: MemorySocket?

  /// Opens the sockets and begins to load what is configured; requests are answered from here on.
  package init(
    _ configuration: AgentConfiguration, _ parts: Parts, log: Logger
  ) throws(AgentError) {
    try configuration.validate()
    current = CurrentConfiguration(configuration)
    self.log = log
    let switches = SwitchCounters()
    let requestLog = try configuration.requestLog.map {
      (settings) throws(AgentError) in try RequestLog(settings, log: log)
    }
    self.requestLog = requestLog
    let sampler = Self.sampler(configuration.requestLog, requestLog, log)
    let runtime = RuntimeSettings(sampler: sampler, hasRequestLog: requestLog != nil)
    let settings = SettingsRoutes(settings: runtime)
    var limits = ServingLimits()
    limits.queueDepthMaximum = configuration.queueDepth
    limits.queueMillisecondsMaximum = configuration.queueMilliseconds
    limits.batchRowsDefault = configuration.batchRowsMaximum
    limits.instancesDefault = configuration.instances
    limits.keptWeightsBytesMinimum = configuration.weightsCache.bytesMinimum
    let watch = VersionWatch()
    var serving = ServingConfiguration(
      table: parts.table, budgetBytes: configuration.memoryBudget,
      threads: configuration.threads ?? ProcessorCount.threadsDefault, limits: limits,
      sampler: sampler,
      onEvent: { event in
        switches.count(event)
        EventLog.write(event, to: log)
        watch.see(event)
      })
    (serving.weightsCache, serving.weightsRefusal) = configuration.weightsCache.open(
      configuration.stateDirectory, builder: parts.build, log)
    let manager = ModelManager(serving)
    self.manager = manager
    pipelines = PipelineSet(manager, table: parts.table)
    watch.tell(pipelines)
    memory = try AgentMemory(
      manager, deliveredModels: configuration.delivery?.models.count ?? 0)
    for name in configuration.modelNames { manager.declare(name) }
    pipelines.change(configuration.pipelines)
    delivery = try Self.makeDelivery(configuration, parts, manager, log)
    stores = LocalStores(
      configuration.models, manager: manager,
      pins: PinFile(path: configuration.stateDirectory + "/pins.json", log: log),
      canaries: CanaryFile(path: configuration.stateDirectory + "/canaries.json", log: log),
      weightsCache: serving.weightsCache, pollMilliseconds: configuration.pollMilliseconds)
    watch.tell(stores)
    report = StatusReport(
      service: manager.service, ledger: manager.ledger,
      process: ProcessFacts(
        version: parts.version, kernels: parts.table.name,
        board: configuration.board ?? "generic"),
      delivery: delivery, stores: stores, pipelines: pipelines)
    limiter = RateLimiter(configuration.rateLimit)
    let refusals = TransportRefusals()
    let metrics = MetricsReport(
      status: report, switches: switches, limiter: limiter, refusals: refusals,
      requestLog: requestLog, compatibility: configuration.metricsCompatibility)
    thread = EventLoopThread(threads: configuration.ioThreads)
    let (stores, delivery) = (stores, delivery)
    let begin = {
      stores.start()
      for (name, model) in configuration.models
      where VersionScan.versions(at: model.path).isEmpty {
        log.warning(
          "no version is there yet",
          metadata: [
            "model": "\(name)", "path": "\(model.path)",
            "reason": "\(VersionAbsence.sentence(model.path))",
          ])
      }
      delivery?.start()
    }
    // Where the service manager holds the socket, clients wait in its queue until models are there.
    let hasQueue = parts.inherited.paths.contains(configuration.socket)
    if hasQueue {
      begin()
      manager.waitForLoads(milliseconds: AgentLimits.startMilliseconds)
    }
    do throws(AgentError) {
      let sockets = AgentSockets(
        configuration, thread, memory.connections, limiter, refusals, parts.inherited,
        RequestBounds(
          manager.service, budget: configuration.memoryBudget, target: parts.target))
      let remoteCalls = try sockets.openRemoteCalls(
        parts, manager.service, LocalAdministration(stores, current, runtime))
      remoteCallServer = remoteCalls
      var memorySocket: MemorySocket?
      do throws(AgentError) {
        memorySocket = try sockets.openMemory(manager.service)
        self.memorySocket = memorySocket
        servers = try sockets.open(
          routes: [{ settings.handle($0, mayChange: false, $1) }]
            + parts.routes(manager.service)
            + (configuration.metricsOnDataSocket ? [metrics.route] : []),
          admin: AdminRoutes(
            report: report, metrics: metrics, configuration: current, delivery: delivery,
            repository: RepositoryRoutes(service: manager.service, stores: stores),
            models: ModelRoutes(stores: stores, manager: manager), settings: settings))
      } catch {
        memorySocket?.shutdown()
        remoteCalls?.shutdown(drainMilliseconds: 0)
        throw error
      }
    } catch {
      stores.shutdown()
      delivery?.shutdown()
      thread.shutdown()
      manager.shutdown(drainMilliseconds: 0)
      throw error
    }
    log.info(
      "agent started",
      metadata: [
        "socket": "\(configuration.socket)", "kernels": "\(parts.table.name)",
        "budget_bytes": "\(configuration.memoryBudget.map(String.init) ?? "none")",
      ])
    if !hasQueue { begin() }
  }

  /// The port that answers requests; nil for none.
  package var port: Int? { servers.port?.port }

  /// The settings in force.
  package var configuration: AgentConfiguration { current.value }

  /// Puts the models and the rate limit of `configuration` into force.
  ///
  /// - Returns: the keys of what differs otherwise, and needs a restart.
  package func reload(_ configuration: AgentConfiguration) throws(AgentError) -> [String] {
    try configuration.validate()
    let restart = self.configuration.changes(to: configuration).filter { !$0.isReloadable }
    // One that was changed by hand stays until the configuration says something new.
    if self.configuration.logLevel != configuration.logLevel {
      LogThreshold.level = configuration.logLevel
    }
    let pipelinesChanged = self.configuration.pipelines != configuration.pipelines
    current.reload(configuration)
    limiter.change(configuration.rateLimit)
    // Before the models: one that a pipeline of before holds back may be what the new one is for.
    pipelines.change(configuration.pipelines)
    stores.change(configuration.models, pipelinesChanged: pipelinesChanged)
    return restart.map(\.key)
  }

  /// How it is doing, in one line.
  package var healthLine: String {
    let document = report.document()
    return ([document.health.rawValue] + document.problems).joined(separator: "; ")
  }

  /// Calls `body` on the thread that answers requests.
  package func submit(_ body: @escaping @Sendable () -> Void) { thread.submit(body) }

  /// Stops taking requests, ends those under way within the bound, and releases everything.
  ///
  /// - Returns: whether all requests under way were answered.
  @discardableResult
  package func shutdown(drainMilliseconds: Int = AgentLimits.drainMilliseconds) -> Bool {
    log.info("agent stopping")
    stores.shutdown()
    delivery?.shutdown()
    servers.data.shutdown(drainMilliseconds: drainMilliseconds)
    servers.port?.shutdown(drainMilliseconds: drainMilliseconds)
    remoteCallServer?.shutdown(drainMilliseconds: drainMilliseconds)
    memorySocket?.shutdown()
    let drained = manager.shutdown(drainMilliseconds: drainMilliseconds)
    pipelines.change([:])
    servers.admin.shutdown(drainMilliseconds: 0)
    thread.shutdown()
    memory.close()
    requestLog?.shutdown()
    log.info("agent stopped", metadata: ["drained": "\(drained)"])
    return drained
  }

  /// Picks the requests that the logs are told of.
  private static func sampler(
    _ configuration: RequestLogConfiguration?, _ requestLog: RequestLog?, _ log: Logger
  ) -> RequestSampler {
    let share = (configuration?.percent ?? 0) / 100 * Double(RequestSampler.shareWhole)
    return RequestSampler(share: Int(share.rounded())) { record in
      requestLog?.write(record)
      guard record.outcome != .ok else { return }
      log.debug(
        "request failed",
        metadata: [
          "model": "\(record.model)", "version": "\(record.version)",
          "outcome": "\(record.outcome.rawValue)",
          "trace_id": "\(record.trace?.traceID ?? "none")",
        ])
    }
  }

  private static func makeDelivery(
    _ configuration: AgentConfiguration, _ parts: Parts, _ manager: ModelManager, _ log: Logger
  ) throws(AgentError) -> (any DeliveryService)? {
    guard let delivery = configuration.delivery, let make = parts.delivery else { return nil }
    do {
      return try make(configuration, delivery, manager, log)
    } catch let error as AgentError {
      throw error
    } catch {
      throw .delivery(reason: String(describing: error))
    }
  }
}
