package import Logging
import Synchronization

extension Logger.Level {
  /// A level by its name.
  init(configured name: String) throws(AgentError) {
    guard let level = Logger.Level(rawValue: name) else {
      throw .invalidValue(
        key: "log_level", value: name,
        expected: Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
    }
    self = level
  }
}

/// From which level on entries of the log are written; one for the whole process, and changed while
/// it runs.
package enum LogThreshold {
  private static let index = Atomic<Int>(levelIndex(.info))

  package static var level: Logger.Level {
    get { Logger.Level.allCases[index.load(ordering: .relaxed)] }
    set { index.store(levelIndex(newValue), ordering: .relaxed) }
  }

  private static func levelIndex(_ level: Logger.Level) -> Int {
    Logger.Level.allCases.firstIndex(of: level) ?? 0
  }
}
