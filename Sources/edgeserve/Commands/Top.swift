import Agent
import ArgumentParser
import Glibc

struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows which models are busy, the busiest first.",
    discussion: """
      BUSY is the share of the time in which an instance of the model computed; QUEUE and INFER are \
      means of the requests that were answered since the line before.

      Example:
        edgeserve top
        edgeserve top --interval 10 --count 1
      """)

  @Option(name: .customLong("admin-socket"), help: "The agent's admin socket.")
  var adminSocket: String?
  @Option(help: "Seconds between two looks.")
  var interval = 1
  @Option(help: "Tables to show; until interrupted when it is left out.")
  var count: Int?

  func validate() throws {
    guard (1...3600).contains(interval) else {
      throw ValidationError("--interval is from 1 to 3600")
    }
    guard (count ?? 1) > 0 else { throw ValidationError("--count is at least 1") }
  }

  func run() throws {
    var agent = LiveAgent(path: Status.socket(adminSocket))
    try agent.look()
    var shown = 0
    while shown < count ?? .max {
      sleep(UInt32(interval))
      try agent.look()
      guard let look = agent.history.looks.last else { continue }
      let lines = TopTable.lines(look, try agent.status())
      Terminal.draw(lines.map { $0 + "\n" }.joined(), again: count == nil)
      shown += 1
    }
  }
}
