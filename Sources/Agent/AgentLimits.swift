/// Every bound of the agent, named once.
package enum AgentLimits {
  /// Bytes of a configuration file.
  static let configurationBytesMaximum = 1 << 20
  /// How often directories of versions are looked at, unless configured.
  package static let pollMilliseconds = 1000
  /// Entries of a directory of versions that are looked at.
  static let directoryEntriesMaximum = 4096
  /// The shortest and the longest wait before a changed file is tried again.
  static let retryMillisecondsMinimum = 1000
  static let retryMillisecondsMaximum = 60_000
  /// How long requests under way may take when the agent is told to stop.
  package static let drainMilliseconds = 10_000
  /// Compute threads when none are configured: one for each core, at most so many.
  package static let threadsDefaultMaximum = 4
  package static let threadsMaximum = 64
  /// Bytes of the polling thread's stack.
  static let pollStackBytes = 256 * 1024
  /// Problems that the status document lists.
  static let problemsMaximum = 32
}
