import Glibc
package import Logging
import Synchronization

/// An agent as a service of the system: ends at SIGTERM and SIGINT, reads its configuration anew at
/// SIGHUP, and keeps the service manager informed.
package final class AgentService: Sendable {
  private let agent: Agent
  private let manager: ServiceManager?
  private let log: Logger
  private let configuration: @Sendable () throws(AgentError) -> AgentConfiguration
  private let settled: @Sendable () -> Void
  private let poll: ConfigurationPoll?
  /// Signs of life that the I/O thread was asked for and gave.
  private let asked = Atomic<Int>(0)
  private let answered = Atomic<Int>(0)

  /// - Parameters:
  ///   - configuration: gathers the settings again, from where they came the first time.
  ///   - poll: files whose change has the configuration read anew, as at SIGHUP; nil for none.
  ///   - settled: called once, when what start brings about is over.
  package init(
    _ agent: Agent, manager: ServiceManager?, log: Logger,
    configuration: @escaping @Sendable () throws(AgentError) -> AgentConfiguration,
    poll: ConfigurationPoll? = nil,
    settled: @escaping @Sendable () -> Void = {}
  ) {
    self.agent = agent
    self.manager = manager
    self.log = log
    self.configuration = configuration
    self.poll = poll
    self.settled = settled
  }

  /// Blocks until a signal ends the agent, and until it has ended.
  package func run() {
    manager?.notify(.ready, .status(agent.healthLine))
    // Three looks within the watchdog's patience, so that one late answer does no harm.
    let interval = manager?.watchdogMilliseconds.map { max($0 / 3, 1) }
    var isSettled = false
    var files = poll
    while true {
      let waits = [interval, files?.milliseconds, isSettled ? nil : AgentLimits.settleMilliseconds]
      switch Signals.wait(milliseconds: waits.compactMap(\.self).min()) {
      case nil:
        if !isSettled { settled() }
        isSettled = true
        if files?.hasChanged() ?? false { reload() }
        feedWatchdog()
      case SIGHUP?: reload()
      case let signal?:
        log.info("signal received", metadata: ["signal": "\(signal)"])
        manager?.notify(.stopping)
        agent.shutdown()
        return
      }
    }
  }

  /// Passes a sign of life on when the thread that answers requests gave one.
  private func feedWatchdog() {
    guard manager != nil, answered.load(ordering: .relaxed) == asked.load(ordering: .relaxed) else { return }
    manager?.notify(.alive, .status(agent.healthLine))
    let number = asked.add(1, ordering: .relaxed).newValue
    agent.submit { [self] in answered.store(number, ordering: .relaxed) }
  }

  private func reload() {
    manager?.notify(.reloading)
    do throws(AgentError) {
      let restart = try agent.reload(try configuration())
      log.info("configuration read")
      if !restart.isEmpty {
        log.warning(
          "some changes need a restart", metadata: ["keys": "\(restart.joined(separator: ","))"])
      }
    } catch {
      log.error("configuration kept as it was", metadata: ["reason": "\(error.sentence)"])
    }
    manager?.notify(.ready, .status(agent.healthLine))
  }
}
