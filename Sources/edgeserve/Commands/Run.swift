import Agent
import ArgumentParser
import BoardProfiles
import CKernelFacts
import KernelDispatch
import KernelInterface
import Logging
import Transport

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the agent on this device.",
    discussion: """
      Serves models on a Unix socket until SIGTERM or SIGINT. A path is a model file, a bundle,
      or a directory of versions. Settings come from defaults, the configuration file,
      EDGESERVE_ variables and flags, in this order. SIGHUP reads them again, and puts models and
      the rate limit into force.

      Example:
        edgeserve run --model digits=/srv/models/digits --socket /tmp/edgeserve.sock \\
          --admin-socket /tmp/admin.sock --memory-budget 64MiB
      """)

  @Option(
    help: "The configuration file (default: \(AgentConfiguration.defaultPath), if it exists).")
  var config: String?
  @Option(
    help: """
      The board, whose profile gives the budget and threads that are not set otherwise; auto for the \
      one that is detected.
      """)
  var board: String?
  @Option(name: .customLong("model"), help: "A model to serve, as NAME=PATH; repeatable.")
  var models: [String] = []
  @Option(
    name: [.customLong("model-config-file"), .customLong("model_config_file")],
    help: "Models to serve, in TensorFlow Serving's text format.")
  var modelConfigFile: String?
  @Option(
    name: [
      .customLong("model-config-file-poll-wait-seconds"),
      .customLong("model_config_file_poll_wait_seconds"),
    ],
    help: """
      Seconds between looks at the files of settings, which are read again once they change; 0 for \
      none.
      """)
  var configurationPollSeconds: Int = 0
  @Option(help: "The socket that answers requests.")
  var socket: String?
  @Option(name: .customLong("grpc-socket"), help: "The socket for gRPC.")
  var grpcSocket: String?
  @Option(
    name: .customLong("memory-socket"), help: "The socket on which apps hand over memory.")
  var memorySocket: String?
  @Option(name: .customLong("admin-socket"), help: "The socket that answers `edgeserve status`.")
  var adminSocket: String?
  @Option(name: .customLong("state-dir"), help: "Where delivered versions are kept.")
  var stateDirectory: String?
  @Option(name: .customLong("memory-budget"), help: "Bytes granted, such as 67108864 or 64MiB.")
  var memoryBudget: String?
  @Option(help: "Compute threads.")
  var threads: Int?
  @Option(help: "The kernel table, instead of the best for this processor.")
  var kernels: String?

  func run() throws {
    var configuration: AgentConfiguration
    let poll: ConfigurationPoll?
    let table: KernelTable
    do throws(AgentError) {
      configuration = try settings()
      poll = self.poll(configuration)
      // Read behind the first look, so that every later change is one that the next look finds.
      if poll != nil { configuration = try settings() }
      try configuration.validate()
      guard (0...ConfigurationPoll.secondsMaximum).contains(configurationPollSeconds) else {
        throw .invalidValue(
          key: "--model-config-file-poll-wait-seconds", value: "\(configurationPollSeconds)",
          expected: "0 to \(ConfigurationPoll.secondsMaximum)")
      }
      table = try kernelTable(configuration.kernels)
    } catch {
      throw CommandFailure(.badInput, error.sentence)
    }
    Signals.block()
    LogThreshold.level = configuration.logLevel
    let log = Logger(label: "edgeserve", factory: LineLog.init)
    settle(on: configuration.board, table, log)
    // Bodies of large requests, which are charged only while they are held.
    ckernelfacts_return_blocks(1 << 20)
    if let bytes = DataLimit.apply(
      budget: configuration.memoryBudget, ioThreads: configuration.ioThreads)
    {
      log.info("data limited", metadata: ["bytes": "\(bytes)"])
    }
    let agent: Agent
    do throws(AgentError) {
      var parts = Composition.parts(table: table)
      parts.inherited = InheritedSockets(environment: AgentConfiguration.environment)
      agent = try Agent(configuration, parts, log: log)
    } catch {
      throw CommandFailure(.failure, error.sentence)
    }
    AgentService(
      agent, manager: ServiceManager(), log: log,
      configuration: { () throws(AgentError) in try settings() },
      poll: poll,
      settled: { ckernelfacts_release_code() }
    ).run()
  }

  /// The files that the settings came from, when they are to be looked at again.
  private func poll(_ configuration: AgentConfiguration) -> ConfigurationPoll? {
    guard configurationPollSeconds > 0 else { return nil }
    let paths = [Settings.place(config), configuration.modelConfigFile].compactMap(\.self)
    return ConfigurationPoll(paths, seconds: configurationPollSeconds)
  }

  /// Takes the processors that the board's profile names, and says what is not as it expects.
  private func settle(on board: String?, _ table: KernelTable, _ log: Logger) {
    guard let board, let profile = BoardCatalogue.named(board) else { return }
    if let processors = profile.choices.processors {
      let numbers = processors.map(Int32.init)
      // Sound: the numbers are lent for the call.
      let isChosen = unsafe ckernelfacts_use_processors(numbers, numbers.count)
      if !isChosen {
        log.warning("the board's processors cannot be chosen", metadata: ["board": "\(board)"])
      }
    }
    if !profile.isGeneric, table.name != profile.facts.kernels {
      log.warning(
        "other kernels than the board's profile expects",
        metadata: ["kernels": "\(table.name)", "expected": "\(profile.facts.kernels)"])
    }
  }

  private func settings() throws(AgentError) -> AgentConfiguration {
    var configuration = try Settings(path: config, modelConfigFile: modelConfigFile).configuration
    for model in models {
      guard let equals = model.firstIndex(of: "="), equals != model.startIndex,
        model.index(after: equals) != model.endIndex
      else { throw .invalidValue(key: "--model", value: model, expected: "NAME=PATH") }
      configuration.models[String(model[..<equals])] = LocalModel(
        String(model[equals...].dropFirst()))
    }
    if let grpcSocket { configuration.grpcSocket = grpcSocket }
    if let path = configuration.grpcSocket, !Composition.offersGRPC {
      throw .invalidValue(
        key: "--grpc-socket", value: path, expected: "left out: this build has no gRPC")
    }
    if let board { configuration.board = board }
    if let socket { configuration.socket = socket }
    if let memorySocket { configuration.memorySocket = memorySocket }
    if let adminSocket { configuration.adminSocket = adminSocket }
    if let stateDirectory { configuration.stateDirectory = stateDirectory }
    if let memoryBudget {
      configuration.memoryBudget = try ByteSize.parse(memoryBudget, key: "--memory-budget")
    }
    if let threads { configuration.threads = threads }
    if let kernels { configuration.kernels = kernels }
    try configuration.applyBoard()
    return configuration
  }

  private func kernelTable(_ name: String?) throws(AgentError) -> KernelTable {
    guard let name else { return KernelTable.best }
    guard let table = KernelTable.named(name) else {
      throw .invalidValue(
        key: "kernels", value: name,
        expected: "one of \(KernelTable.supported.map(\.name).joined(separator: ", "))")
    }
    return table
  }
}
