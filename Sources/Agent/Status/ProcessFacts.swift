import Glibc
import Serving

/// What does not change while the agent runs.
struct ProcessFacts: Sendable {
  let version: String
  let kernels: String
  let board: String
  private let started = MonotonicClock.now()

  init(version: String, kernels: String, board: String) {
    self.version = version
    self.kernels = kernels
    self.board = board
  }

  func status() -> AgentStatus.Process {
    AgentStatus.Process(
      version: version, uptimeSeconds: Int((MonotonicClock.now() - started) / 1_000_000_000),
      kernels: kernels, board: board, pid: Int(getpid()))
  }
}
