/// What one look at the device showed.
struct Finding: Encodable {
  enum State: String, Encodable {
    case ok
    /// Works, and may not for long.
    case warning
    /// Keeps the agent from its work.
    case problem
  }

  /// Everything that doctor looks at.
  static let checks = [
    "configuration", "board", "kernels", "memory", "disk", "clock", "sockets", "keys", "broker",
    "writes", "agent",
  ]

  /// What was looked at, in one word of `checks`.
  var check: String
  var state: State
  /// One sentence.
  var finding: String
  /// What to do; nil when all is well.
  var remedy: String?

  static func ok(_ check: String, _ finding: String) -> Finding {
    Finding(check, .ok, finding, nil)
  }

  static func warning(_ check: String, _ finding: String, _ remedy: String) -> Finding {
    Finding(check, .warning, finding, remedy)
  }

  static func problem(_ check: String, _ finding: String, _ remedy: String) -> Finding {
    Finding(check, .problem, finding, remedy)
  }

  private init(_ check: String, _ state: State, _ finding: String, _ remedy: String?) {
    precondition(Self.checks.contains(check), "a finding has a heading in the manual")
    (self.check, self.state, self.finding, self.remedy) = (check, state, finding, remedy)
  }
}
