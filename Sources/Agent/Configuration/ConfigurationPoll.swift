/// The files that settings come from, looked at from time to time.
package struct ConfigurationPoll: Sendable {
  /// Seconds between two looks, at most.
  package static let secondsMaximum = 86_400

  /// Between two looks.
  let milliseconds: Int
  private let paths: [String]
  private var seen: [PathKind]

  /// - Parameters:
  ///   - paths: files that are there or not.
  ///   - seconds: from 1 to `secondsMaximum`.
  package init(_ paths: [String], seconds: Int) {
    milliseconds = min(max(seconds, 1), Self.secondsMaximum) * 1000
    self.paths = paths
    seen = paths.map { PathKind($0) }
  }

  /// Whether one of the files was written or replaced since the last look.
  mutating func hasChanged() -> Bool {
    let now = paths.map { PathKind($0) }
    defer { seen = now }
    return seen != now
  }
}
