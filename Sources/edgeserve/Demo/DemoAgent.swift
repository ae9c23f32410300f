import Agent
import Glibc
import Transport

/// An agent of its own: this program with `run`, as a device would start it.
final class DemoAgent {
  let socket: String
  let adminSocket: String
  private let process: DemoProcess
  private let log: String

  /// - Parameters:
  ///   - rootFile: the trusted root document that the device is given.
  ///   - budget: as on the command line, such as `16MiB`.
  init(in directory: DemoDirectory, brokerPort: Int, rootFile: String, budget: Int) throws {
    socket = directory.file("edgeserve.sock")
    adminSocket = directory.file("admin.sock")
    log = directory.file("agent.log")
    let configuration = directory.file("edgeserve.json")
    try DemoFiles.write(
      configuration,
      """
      {
        // What a device of this fleet is told.
        "socket": "\(socket)",
        "admin_socket": "\(adminSocket)",
        "state_dir": "\(directory.file("state"))",
        "memory_budget": \(budget),
        "delivery": {
          "broker": {"host": "127.0.0.1", "port": \(brokerPort)},
          "fleet": "demo", "device": "demo-1", "models": ["digits"],
          "root_key_file": "\(rootFile)"
        }
      }

      """)
    process = try DemoProcess(
      [try DemoProcess.ownProgram(), "run", "--config", configuration], output: log)
  }

  /// The agent's own account; nil while it does not answer.
  func status() throws -> AgentStatus? {
    guard process.isRunning else {
      throw CommandFailure(.failure, "the agent has ended; its last words:\n\(lastWords())")
    }
    var client = UnixHTTPClient(path: adminSocket)
    guard let response = try? client.request(method: "GET", path: "/status"),
      response.status == 200
    else { return nil }
    return try AgentStatus(json: response.body)
  }

  /// Waits until `version` of digits serves.
  func waitUntilServing(_ version: Int64, seconds: Int) throws -> AgentStatus {
    try DemoInterrupt.wait(
      seconds: seconds,
      orThrow: CommandFailure(
        .failure, "version \(version) does not serve; the agent's last words:\n\(lastWords())")
    ) {
      guard let status = try status() else { return nil }
      let versions = status.models.first { $0.name == "digits" }?.versions ?? []
      let state = versions.first { $0.version == version }?.state
      guard state != "refused" else {
        throw CommandFailure(.failure, status.problems.joined(separator: "\n"))
      }
      return state == "serving" ? status : nil
    }
  }

  /// The status screen, as `edgeserve status` shows it.
  func statusScreen(in directory: DemoDirectory) throws -> String {
    let output = directory.file("status.txt")
    let screen = try DemoProcess(
      [try DemoProcess.ownProgram(), "status", "--admin-socket", adminSocket], output: output)
    screen.wait()
    return String(decoding: try DemoFiles.read(output), as: UTF8.self)
  }

  func end() { process.end(graceMilliseconds: 5000) }

  private func lastWords() -> String {
    guard let bytes = try? DemoFiles.read(log) else { return "" }
    return String(decoding: bytes.suffix(2000), as: UTF8.self)
  }
}
