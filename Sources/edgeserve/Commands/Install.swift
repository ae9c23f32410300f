import Agent
import ArgumentParser
import Glibc
import JSONDocuments
import KernelDispatch
import KernelInterface
import Logging
import Transport

struct Install: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Installs a release from a file, such as one on a USB stick.",
    discussion: """
      Takes what `edgeserve publish --to` wrote. The checks are those of a release from a broker: \
      signatures, expiry, counters, needs, the hash of every block, golden vectors. The agent \
      that runs takes it; where none runs, it is installed into the state directory, and serves \
      when the agent starts.

      Example:
        edgeserve install /media/stick/digits-2.release
        sudo -u edgeserve edgeserve install /media/stick/digits-2.release --json
      """)

  @Argument(help: "The file.")
  var file: String

  @Option(
    help: "The configuration file (default: \(AgentConfiguration.defaultPath), if it exists).")
  var config: String?

  @Option(name: .customLong("admin-socket"), help: "The agent's admin socket.")
  var adminSocket: String?

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func run() throws {
    let configuration: AgentConfiguration
    do throws(AgentError) {
      configuration = try Settings(path: config).configuration
    } catch {
      throw CommandFailure(.badInput, error.sentence)
    }
    let report = try askAgent(adminSocket ?? configuration.adminSocket) ?? install(configuration)
    if json { try printJSON(report) }
    let name = "\(report.model) version \(report.version)"
    guard report.installed else {
      throw CommandFailure(.failure, "\(name) was not installed: " + Self.reason(report))
    }
    StandardError.line(
      report.state == "trial" ? "installed \(name), on trial" : "installed \(name)")
  }

  private static func reason(_ report: InstallReport) -> String {
    report.cause.map(CauseSentence.of)
      ?? "the director's word in the file does not mean this device now."
  }

  /// What the agent says; nil when none answers at `socket`.
  private func askAgent(_ socket: String) throws -> InstallReport? {
    var limits = UnixHTTPClient.Limits()
    limits.timeoutMilliseconds = 600_000
    var client = UnixHTTPClient(path: socket, limits: limits)
    let order = try JSONDocument.encode(["path": try absolute(file)])
    let response: HTTPResponse
    do throws(TransportError) {
      response = try client.request(method: "POST", path: "/delivery/install", body: order)
    } catch {
      switch error {
      case .cannotConnect(_, ENOENT), .cannotConnect(_, ECONNREFUSED): return nil
      default: throw CommandFailure(.unreachable, AgentUnreachable.sentence(socket, error))
      }
    }
    guard response.status == 200 else {
      let answer = try? JSONDocument.decode(Refusal.self, from: response.body)
      throw CommandFailure(
        response.status == 400 ? .badInput : .failure,
        answer?.error ?? "the agent answered with status \(response.status)")
    }
    return try JSONDocument.decode(InstallReport.self, from: response.body)
  }

  private struct Refusal: Decodable { var error: String }

  private func absolute(_ path: String) throws -> String {
    if path.hasPrefix("/") { return path }
    guard let directory = unsafe getcwd(nil, 0) else {
      throw CommandFailure(.badInput, "\(path): name it from / on")
    }
    defer { unsafe free(directory) }
    return unsafe String(cString: directory) + "/" + path
  }

  private func install(_ configuration: AgentConfiguration) throws -> InstallReport {
    var log = Logger(label: "edgeserve", factory: LineLog.init)
    log.logLevel = .warning
    let table = configuration.kernels.flatMap { KernelTable.named($0) } ?? KernelTable.best
    let result: Result<InstallReport, InstallRefusal>
    do {
      result = try OfflineInstaller(configuration, table: table, version: Build.version)
        .install(file, log: log)
    } catch let error as AgentError {
      throw CommandFailure(.failure, error.sentence)
    }
    switch result {
    case .success(let report): return report
    case .failure(.archive(let error)): throw CommandFailure(.badInput, error.sentence)
    case .failure(.notConfigured):
      throw CommandFailure(
        .unreachable,
        "no agent answers, and the configuration names no delivery whose keys could check the file")
    case .failure(let refusal): throw CommandFailure(.failure, refusal.sentence)
    }
  }
}
