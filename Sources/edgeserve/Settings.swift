import Agent
import Glibc

/// The agent's settings as the file and the environment give them.
struct Settings {
  /// Defaults, then the file, then the environment.
  var configuration: AgentConfiguration
  /// The same without the environment.
  var ofFile: AgentConfiguration
  /// Keys of what the board's profile set.
  private var ofBoard: [String] = []
  /// The file that was read; nil when there was none.
  var path: String?

  /// - Parameters:
  ///   - path: the file named on the command line; else `EDGESERVE_CONFIG`, else the default path,
  ///     which alone may be missing.
  ///   - modelConfigFile: a file of models that takes the place of the one that is configured.
  init(path: String?, modelConfigFile: String? = nil) throws(AgentError) {
    var configuration = AgentConfiguration()
    self.path = Self.place(path)
    if let path = self.path { try configuration.read(path) }
    if let modelConfigFile { configuration.modelConfigFile = modelConfigFile }
    ofFile = configuration
    try configuration.applyEnvironment()
    try ModelConfigFile.apply(to: &ofFile)
    try ModelConfigFile.apply(to: &configuration)
    self.configuration = configuration
  }

  /// The file that settings are read from; nil when there is none.
  ///
  /// - Parameter path: the file named on the command line.
  static func place(_ path: String?) -> String? {
    if let named = path ?? AgentConfiguration.environment("EDGESERVE_CONFIG") { return named }
    return unsafe access(AgentConfiguration.defaultPath, F_OK) == 0
      ? AgentConfiguration.defaultPath : nil
  }

  /// Fills in what the board's profile says; for what is not set otherwise, flags among it.
  mutating func applyBoard() throws(AgentError) {
    let before = configuration.entries
    try configuration.applyBoard()
    ofBoard = configuration.entries.filter { !before.contains($0) }.map(\.key)
  }

  /// Where a setting comes from, for people.
  func origin(of entry: ConfigurationEntry) -> String {
    if ofBoard.contains(entry.key) { return "board" }
    if !ofFile.entries.contains(entry) { return "environment" }
    if !AgentConfiguration().entries.contains(entry) { return "file" }
    return "default"
  }
}
