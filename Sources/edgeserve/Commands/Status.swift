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

  @Flag(help: "Show it anew each second, until interrupted.")
  var watch = false

  func run() throws {
    let path =
      adminSocket ?? AgentConfiguration.environment("EDGESERVE_ADMIN_SOCKET")
      ?? AgentConfiguration().adminSocket
    var client = UnixHTTPClient(path: path)
    let isTerminal = isatty(STDOUT_FILENO) == 1
    repeat {
      let document = try AdminDocument.fetch("/status", &client)
      if json {
        StandardOutput.write(document + [UInt8(ascii: "\n")])
      } else {
        guard let status = try? AgentStatus(json: document) else {
          throw CommandFailure(.failure, "the agent at \(path) gave no status document")
        }
        let screen = StatusScreen(
          colour: isTerminal && AgentConfiguration.environment("NO_COLOR") == nil)
        // Home, then clear to the end: less flicker than clearing first.
        let clear = watch && isTerminal ? "\u{1B}[H\u{1B}[J" : ""
        StandardOutput.write(Array((clear + screen.text(status)).utf8))
      }
      if watch { sleep(1) }
    } while watch
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
