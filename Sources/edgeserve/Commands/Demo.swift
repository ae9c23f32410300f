import Agent
import ArgumentParser
import Glibc

struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs broker, publisher, agent and apps on this machine.",
    discussion: """
      Publishes a model to a private mosquitto, serves it within a memory budget, and publishes a better \
      version while apps keep asking. Takes seconds and leaves nothing behind.

      Example:
        edgeserve demo --json
      """)

  @Option(help: "The memory that the agent is granted, in bytes or with KiB, MiB or GiB.")
  var memoryBudget = "32MiB"
  @Option(help: "Connections that ask all the time.")
  var connections = 4
  @Option(help: "The directory that holds `digits` (default: Tests/Fixtures of the package).")
  var fixtures: String?
  @Flag(help: "Prints the outcome as one JSON document.")
  var json = false

  func validate() throws {
    guard (1...64).contains(connections) else {
      throw ValidationError("--connections is a number from 1 to 64.")
    }
  }

  func run() throws {
    Signals.block()
    let demonstration = Demonstration(
      fixtures: try DemoFixtures(directory: fixtures), budgetBytes: try budget(),
      connections: connections)
    let report: DemoReport
    do {
      report = try demonstration.run()
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(.failure, "the demonstration failed: \(error)")
    }
    for line in report.lines { Self.say(line) }
    if json { try printJSON(report) }
    guard report.failed == 0 else {
      throw CommandFailure(.failure, "\(report.failed) of \(report.requests) requests failed")
    }
    guard report.accuracyAfter > report.accuracyBefore else {
      throw CommandFailure(.failure, "the second version answers no better than the first")
    }
  }

  private func budget() throws -> Int {
    do throws(AgentError) {
      return try ByteSize.parse(memoryBudget, key: "--memory-budget")
    } catch {
      throw ValidationError("--memory-budget is a number of bytes, or one with KiB, MiB or GiB.")
    }
  }

  /// Writes a line for people to stderr.
  static func say(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { bytes in _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }
}
