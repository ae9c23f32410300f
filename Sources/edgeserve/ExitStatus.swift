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
    switch error {
    case CommandLineExit.text(let text):
      StandardOutput.write(Array(text.utf8))
      exit(ExitStatus.success.rawValue)
    case CommandLineExit.usage(let text): complain(text)
    case let error as ValidationError: complain("Error: \(error.message)")
    default: complain("Error: \(error)")
    }
    exit(ExitStatus.badInput.rawValue)
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
