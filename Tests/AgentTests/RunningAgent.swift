import Agent
import Glibc
import KernelDispatch
import KernelInterface
import Logging
import OpenInference
import Serving
import TensorFlowServing
import TestSupport
import Transport

/// An agent in this process, on sockets of a directory of its own.
final class RunningAgent {
  let directory = TemporaryDirectory()
  let agent: Agent
  private var isDown = false

  init(_ adjust: (inout AgentConfiguration, TemporaryDirectory) throws -> Void) throws {
    var configuration = AgentConfiguration()
    configuration.socket = directory.path + "/run/data.sock"
    configuration.adminSocket = directory.path + "/run/admin.sock"
    configuration.stateDirectory = directory.path + "/state"
    configuration.pollMilliseconds = 20
    configuration.threads = 2
    try adjust(&configuration, directory)
    var parts = Agent.Parts(
      table: KernelTable.best, version: "1.2.3",
      routes: { service in
        let tensorFlow = TensorFlowServing.Routes(service: service)
        let openInference = OpenInference.Routes(service: service)
        return [
          { request, respond in tensorFlow.handle(request, respond) },
          { request, respond in openInference.handle(request, respond) },
        ]
      })
    parts.target = { method, path in
      TensorFlowServing.Endpoint.target(method: method, path: path)
        ?? OpenInference.Endpoint.target(path: path)
    }
    agent = try Agent(
      configuration, parts,
      log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  func get(_ path: String, admin: Bool = false) throws -> HTTPResponse {
    let configuration = agent.configuration
    var client = UnixHTTPClient(path: admin ? configuration.adminSocket : configuration.socket)
    return try client.request(method: "GET", path: path)
  }

  func status() throws -> AgentStatus {
    try AgentStatus(json: get("/status", admin: true).body)
  }

  /// The version of the digits classifier that serves.
  func serving() throws -> Int64? {
    try status().models.first { $0.name == "digits" }?.versions
      .first { $0.state == "serving" }?.version
  }

  func waitFor(_ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<2000 {
      if try condition() { return true }
      usleep(5000)
    }
    return false
  }

  func shutdown() {
    if !isDown { agent.shutdown(drainMilliseconds: 2000) }
    isDown = true
  }

  deinit { shutdown() }
}
