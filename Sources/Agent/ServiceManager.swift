import Glibc
import Transport

/// Tells the service manager how this process is doing, as sd_notify(3) describes.
package struct ServiceManager: Sendable {
  package enum Message: Sendable {
    /// It answers.
    case ready
    /// It reads its configuration anew, and says `ready` again afterwards.
    case reloading
    case stopping
    /// The watchdog may wait once more.
    case alive
    /// One line for people.
    case status(String)

    var assignment: String {
      switch self {
      case .ready: "READY=1"
      case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(Self.monotonicMicroseconds())"
      case .stopping: "STOPPING=1"
      case .alive: "WATCHDOG=1"
      case .status(let text): "STATUS=" + text.split(whereSeparator: \.isNewline).joined(separator: " ")
      }
    }

    private static func monotonicMicroseconds() -> Int {
      var now = timespec()
      unsafe clock_gettime(CLOCK_MONOTONIC, &now)
      return now.tv_sec * 1_000_000 + now.tv_nsec / 1000
    }
  }

  private let address: String
  /// How long the watchdog waits for a sign of life; nil when there is no watchdog.
  package let watchdogMilliseconds: Int?

  /// Nil when no service manager listens.
  ///
  /// - Parameter variable: gives the value of a variable, nil when it is not set.
  package init?(
    environment variable: (String) -> String? = AgentConfiguration.environment
  ) {
    guard let address = variable("NOTIFY_SOCKET"), address.first == "/" || address.first == "@"
    else { return nil }
    self.address = address
    let isForThisProcess = variable("WATCHDOG_PID").map { Int32($0) == getpid() } ?? true
    let microseconds = variable("WATCHDOG_USEC").flatMap { Int($0) } ?? 0
    watchdogMilliseconds = isForThisProcess && microseconds >= 1000 ? microseconds / 1000 : nil
  }

  /// Sends the messages as one datagram; a manager that does not take it misses it.
  package func notify(_ messages: Message...) {
    let text = messages.map { $0.assignment + "\n" }.joined()
    _ = UnixDatagram.send(Array(text.utf8), to: address)
  }
}
