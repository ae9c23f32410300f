import Agent
import ArgumentParser
import JSONDocuments
import Transport

struct LogLevel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log-level",
    abstract: "Shows from which level on the agent writes its log, or changes it.",
    discussion: """
      Until the agent restarts or is told another level by its configuration. At debug each request
      that fails has a line with the trace it belongs to.

      Example:
        edgeserve log-level debug
      """)

  @Option(name: .customLong("admin-socket"), help: "The agent's admin socket.")
  var adminSocket: String?
  @Argument(help: "trace, debug, info, notice, warning, error or critical.")
  var level: String?

  private struct Document: Codable { var level: String }

  func run() throws {
    let path =
      adminSocket ?? AgentConfiguration.environment("EDGESERVE_ADMIN_SOCKET")
      ?? AgentConfiguration().adminSocket
    if let level {
      let body = try JSONDocument.encode(Document(level: level))
      try AdminRequest.post("/log-level", body, at: path)
    }
    let document: Document = try AdminDocument.fetch("/log-level", at: path)
    StandardOutput.write(Array((document.level + "\n").utf8))
  }
}
