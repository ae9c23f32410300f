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
    let answer = try Answer()
    driver.install(path) { answer.give($0) }
    let result = answer.wait()
    driver.shutdown()
    manager.shutdown(drainMilliseconds: AgentLimits.drainMilliseconds)
    return result
  }

  /// What the delivery thread tells this one, once.
  private final class Answer: Sendable {
    private let result = Mutex<Result<InstallReport, InstallRefusal>?>(nil)
    /// A pipe: its end to read from, and its end to write to.
    private let ends: (read: Int32, write: Int32)

    init() throws(AgentError) {
      var descriptors: [Int32] = [-1, -1]
      // Sound: the call writes two numbers, for which the array has room.
      guard unsafe pipe(&descriptors) == 0 else {
        throw .delivery(reason: ErrorText.of(errno))
      }
      ends = (descriptors[0], descriptors[1])
    }

    deinit {
      close(ends.read)
      close(ends.write)
    }

    func give(_ answer: Result<InstallReport, InstallRefusal>) {
      result.withLock { $0 = answer }
      var word: UInt8 = 1
      // Sound: one byte of a local variable.
      _ = unsafe write(ends.write, &word, 1)
    }

    func wait() -> Result<InstallReport, InstallRefusal> {
      var word: UInt8 = 0
      // Sound: one byte of a local variable.
      while unsafe read(ends.read, &word, 1) < 0, errno == EINTR {}
      return result.withLock { $0 } ?? .failure(.shuttingDown)
    }
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
