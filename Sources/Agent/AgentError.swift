/// Why the agent cannot be set up.
package enum AgentError: Error, Equatable, Sendable {
  /// A file that the configuration needs; `errno` of the call that failed.
  case unreadableFile(path: String, errno: Int32)
  case fileTooLarge(path: String, limit: Int)
  /// The document is no JSON5, at this place, in the decoder's words.
  case malformed(place: String, reason: String)
  /// Another file that the configuration names is none of its kind; its parser's sentence.
  case malformedFile(path: String, reason: String)
  /// A key that means nothing; `nearest` is the known key that looks most like it.
  case unknownKey(key: String, nearest: String?)
  case missingKey(key: String)
  /// A value that cannot be used, and what would be.
  case invalidValue(key: String, value: String, expected: String)
  /// One model comes from a local path and from delivery.
  case modelDeclaredTwice(model: String)
  /// The budget does not hold the agent's own buffers; bytes.
  case budgetTooSmall(needed: Int, budget: Int)
  /// A directory that the agent needs and cannot make.
  case directory(path: String, errno: Int32)
  /// A socket cannot be bound; the transport's sentence.
  case socket(path: String, reason: String)
  /// Another process delivers into the state directory.
  case stateInUse(path: String, process: Int32?, program: String?)
  /// What this process writes there the user of the agent could not use.
  case stateOfOtherUser(path: String, user: UInt32)
  /// Delivery is configured and cannot start; its own words.
  case delivery(reason: String)

  /// One sentence for people, with what to do.
  package var sentence: String {
    switch self {
    case .unreadableFile(let path, let errno):
      "\(path) cannot be read (\(ErrorText.of(errno)))."
    case .fileTooLarge(let path, let limit):
      "\(path) is larger than \(limit) bytes; is it the right file?"
    case .malformed(let place, let reason):
      "The configuration is malformed at \(place): \(reason)."
    case .malformedFile(let path, let reason): "\(path): \(reason)"
    case .unknownKey(let key, let nearest):
      "The configuration has an unknown key \"\(key)\""
        + (nearest.map { "; did you mean \"\($0)\"?" } ?? ".")
    case .missingKey(let key): "The configuration lacks \"\(key)\"."
    case .invalidValue(let key, let value, let expected):
      "\(key) is \"\(value)\"; it must be \(expected)."
    case .modelDeclaredTwice(let model):
      "The model \"\(model)\" is given a path and is also delivered; choose one."
    case .budgetTooSmall(let needed, let budget):
      "The memory budget of \(budget) bytes does not hold the agent's own buffers of \(needed) "
        + "bytes; raise it by what the models need besides."
    case .directory(let path, let errno):
      "The directory \(path) cannot be made (\(ErrorText.of(errno)))."
    case .socket(_, let reason): reason
    case .stateInUse(let path, let process, let program):
      "The state directory \(path) is in use by "
        + (process.map { "process \($0)" + (program.map { " (\($0))" } ?? "") }
          ?? "another process")
        + "; stop it, or give this one a directory of its own with --state-dir."
    case .stateOfOtherUser(let path, let user):
      "The state directory \(path) belongs to user \(user); run this as that user."
    case .delivery(let reason): "Delivery cannot start: \(reason)."
    }
  }
}
