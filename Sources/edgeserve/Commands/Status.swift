import Agent
import ArgumentParser
import Glibc
import Transport

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows in one screen how this device is doing.",
    discussion: """
      Health in words, models and versions, memory, delivery, latency and recent failures.

      Example:
        edgeserve status --watch
        edgeserve status --json --admin-socket /run/edgeserve/admin.sock
      """)

  @Option(name: .customLong("admin-socket"), help: "The agent's admin socket.")
  var adminSocket: String?

  @Flag(help: "Print the status document to stdout.")
  var json = false

  @Flag(help: "Show it anew each second with graphs of the last minute, until interrupted.")
  var watch = false

  @Flag(help: ArgumentHelp("Print every name that a problem may have.", visibility: .hidden))
  var names = false

  func run() throws {
    if names {
      StandardOutput.write(Array(ProblemName.all.map { $0 + "\n" }.joined().utf8))
      return
    }
    var agent = LiveAgent(path: Self.socket(adminSocket))
    let screen = StatusScreen(colour: Terminal.hasColour)
    repeat {
      if json {
        StandardOutput.write(try agent.document() + [UInt8(ascii: "\n")])
      } else {
        let status = try agent.status()
        if watch { try agent.look() }
        let live = LiveScreen(history: agent.history).lines(status.models.map(\.name))
        Terminal.draw(screen.text(status) + live.map { $0 + "\n" }.joined(), again: watch)
      }
      if watch { sleep(1) }
    } while watch
  }

  /// The admin socket that is named, or that of the environment, or the default.
  static func socket(_ named: String?) -> String {
    named ?? AgentConfiguration.environment("EDGESERVE_ADMIN_SOCKET")
      ?? AgentConfiguration().adminSocket
  }
}

/// What to tell a person whose agent does not answer.
enum AgentUnreachable {
  static func sentence(_ path: String, _ error: TransportError) -> String {
    """
    \(error.sentence) Start the agent with `edgeserve run`, or name its socket with \
    --admin-socket; a socket of another user needs that user or root.
    """
  }
}
