import Glibc

extension AgentConfiguration {
  /// Reads the document at `path` over what is set already.
  package mutating func read(_ path: String) throws(AgentError) {
    try ConfigurationFile.apply(
      try WholeFile.read(path, maximum: AgentLimits.configurationBytesMaximum), to: &self)
  }

  /// Applies a document that is in memory.
  package mutating func apply(document: String) throws(AgentError) {
    try ConfigurationFile.apply(Array(document.utf8), to: &self)
  }

  /// Applies `EDGESERVE_…` variables.
  ///
  /// - Parameter variable: gives the value of a variable, nil when it is not set.
  package mutating func applyEnvironment(
    _ variable: (String) -> String? = AgentConfiguration.environment
  ) throws(AgentError) {
    if let value = variable("EDGESERVE_SOCKET") { socket = value }
    if let value = variable("EDGESERVE_GRPC_SOCKET") { grpcSocket = value }
    if let value = variable("EDGESERVE_ADMIN_SOCKET") { adminSocket = value }
    if let value = variable("EDGESERVE_STATE_DIR") { stateDirectory = value }
    if let value = variable("EDGESERVE_KERNELS") { kernels = value }
    if let value = variable("EDGESERVE_BOARD") { board = value }
    if let value = variable("EDGESERVE_MEMORY_BUDGET") {
      memoryBudget = try ByteSize.parse(value, key: "EDGESERVE_MEMORY_BUDGET")
    }
    if let value = variable("EDGESERVE_THREADS") {
      guard let count = Int(value) else {
        throw .invalidValue(key: "EDGESERVE_THREADS", value: value, expected: "a number")
      }
      threads = count
    }
  }

  /// A variable of this process.
  package static func environment(_ name: String) -> String? {
    // Sound: nothing in this process changes its environment.
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
