import Glibc
package import KernelInterface
package import Logging
import Serving
import Synchronization

/// Installs a release from a file on a device whose agent does not run: the same delivery on the
/// same state directory, with no broker, until the release has come to its end.
package struct OfflineInstaller: Sendable {
  private let configuration: AgentConfiguration
  private let table: KernelTable
  private let version: String

  /// - Parameter version: the agent's version, dotted numbers.
  package init(_ configuration: AgentConfiguration, table: KernelTable, version: String) {
    self.configuration = configuration
    self.table = table
    self.version = version
  }

  /// Installs the file at `path`; the version is proven here, and serves when the agent starts.
  package func install(_ path: String, log: Logger) throws
    -> Result<InstallReport, InstallRefusal>
  {
    guard let delivery = configuration.delivery else { return .failure(.notConfigured) }
    try checkOwner()
    let manager = ModelManager(
      ServingConfiguration(
        table: table, budgetBytes: configuration.memoryBudget,
        threads: configuration.threads ?? ProcessorCount.threadsDefault,
        onEvent: { EventLog.write($0, to: log) }))
    let memory = try AgentMemory(manager, deliveredModels: delivery.models.count)
    defer { memory.close() }
    var setup = try DeliveryDriver.Setup(
      configuration, delivery, version: version, kernels: table.name)
    setup.isOffline = true
    let driver = try DeliveryDriver(setup, log: log, manager: manager)
    driver.start()
    let answer = Answer()
    driver.install(path) { result in answer.result.withLock { $0 = result } }
    var result = answer.result.withLock { $0 }
    while result == nil {
      usleep(5000)
      result = answer.result.withLock { $0 }
    }
    driver.shutdown()
    manager.shutdown(drainMilliseconds: AgentLimits.drainMilliseconds)
    return result ?? .failure(.shuttingDown)
  }

  private final class Answer: Sendable {
    let result = Mutex<Result<InstallReport, InstallRefusal>?>(nil)
  }

  /// Throws when what is written now could not be read by the agent later.
  private func checkOwner() throws(AgentError) {
    var status = stat()
    // Sound: the pointer is to a local variable of the type that the call fills.
    guard unsafe stat(configuration.stateDirectory, &status) == 0 else { return }
    guard status.st_uid == geteuid() else {
      throw .stateOfOtherUser(path: configuration.stateDirectory, user: status.st_uid)
    }
  }
}
