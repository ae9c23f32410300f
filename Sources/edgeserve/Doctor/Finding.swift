/// What one look at the device showed.
struct Finding: Encodable {
  enum State: String, Encodable {
    case ok
    /// Works, and may not for long.
    case warning
    /// Keeps the agent from its work.
    case problem
  }

  /// What was looked at, in one word.
  var check: String
  var state: State
  /// One sentence.
  var finding: String
  /// What to do; nil when all is well.
  var remedy: String?

  static func ok(_ check: String, _ finding: String) -> Finding {
    Finding(check: check, state: .ok, finding: finding, remedy: nil)
  }

  static func warning(_ check: String, _ finding: String, _ remedy: String) -> Finding {
    Finding(check: check, state: .warning, finding: finding, remedy: remedy)
  }

  static func problem(_ check: String, _ finding: String, _ remedy: String) -> Finding {
    Finding(check: check, state: .problem, finding: finding, remedy: remedy)
  }
}
