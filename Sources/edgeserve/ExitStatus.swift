import ArgumentParser
import Glibc

/// What the process tells its caller.
enum ExitStatus: Int32 {
  case success = 0
  /// The work failed.
  case failure = 1
  /// Usage, or input that cannot be used.
  case badInput = 2
  /// The agent or the broker cannot be reached.
  case unreachable = 3

  /// Prints what went wrong for a person to stderr and ends the process.
  static func leave(_ error: any Error) -> Never {
    if let failure = error as? CommandFailure {
      complain(failure.message)
      exit(failure.status.rawValue)
    }
    // Help and version texts leave through ArgumentParser with success; its usage errors become 2.
    guard EdgeServe.exitCode(for: error) == .success else {
      complain(EdgeServe.fullMessage(for: error))
      exit(ExitStatus.badInput.rawValue)
    }
    EdgeServe.exit(withError: error)
  }

  private static func complain(_ message: String) {
    var line = message.hasPrefix("Error: ") ? message : "edgeserve: " + message
    line += "\n"
    line.withUTF8 { bytes in _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }
}

/// A failure that a command reports to a person: one sentence and the exit status.
struct CommandFailure: Error {
  var status: ExitStatus
  var message: String

  init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}
