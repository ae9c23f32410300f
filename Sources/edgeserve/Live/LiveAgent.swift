import Agent
import Glibc
import Transport

/// Asks an agent again and again, and keeps what it answered.
struct LiveAgent {
  private var client: UnixHTTPClient
  private(set) var history = LiveHistory()

  init(path: String) { client = UnixHTTPClient(path: path) }

  /// The status document's bytes.
  mutating func document() throws -> [UInt8] { try AdminDocument.fetch("/status", &client) }

  mutating func status() throws -> AgentStatus {
    guard let status = try? AgentStatus(json: try document()) else {
      // Asked once more, so that an agent that is gone is told as such.
      guard let again = try? AgentStatus(json: try document()) else {
        throw CommandFailure(.failure, "the agent at \(client.path) gave no status document")
      }
      return again
    }
    return status
  }

  /// Adds what the agent's metrics say now to the history.
  mutating func look() throws {
    let metrics = try AdminDocument.fetch("/metrics", &client)
    history.append(ModelCounters.read(metrics), at: Self.seconds)
  }

  /// Of a clock that only goes forward.
  private static var seconds: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// Where a screen is drawn.
enum Terminal {
  static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether colours may be used.
  static var hasColour: Bool {
    isInteractive && AgentConfiguration.environment("NO_COLOR") == nil
  }

  /// Draws over what was there: home, then clear to the end, which flickers less than clearing first.
  static func draw(_ text: String, again: Bool) {
    let clear = again && isInteractive ? "\u{1B}[H\u{1B}[J" : ""
    StandardOutput.write(Array((clear + text).utf8))
  }
}
