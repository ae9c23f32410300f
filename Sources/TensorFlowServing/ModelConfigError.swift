/// Why a document is no configuration of models that can be put into force.
package enum ModelConfigError: Error, Equatable, Sendable {
  /// The document is no text of Protocol Buffers from here on.
  case syntax(line: Int, column: Int, reason: String)
  case unknownField(line: Int, owner: String, field: String, known: [String])
  /// The field holds another kind of value.
  case kind(line: Int, field: String, expected: String)
  /// A field that TensorFlow Serving knows and this agent has no use for.
  case unsupported(line: Int, field: String)
  /// A field that must be there; no line when the document has none.
  case missing(line: Int?, field: String)
  case platform(model: String, platform: String)
  case duplicate(model: String)
  case tooMany(limit: Int)

  /// One sentence for people.
  package var sentence: String {
    switch self {
    case .syntax(let line, let column, let reason): "line \(line), column \(column): \(reason)."
    case .unknownField(let line, let owner, let field, let known):
      "line \(line): \(owner) has no field \"\(field.prefix(64))\""
        + (known.isEmpty ? "." : "; it has \(known.joined(separator: ", ")).")
    case .kind(let line, let field, let expected):
      "line \(line): \(field) must be \(expected)."
    case .unsupported(let line, let field): "line \(line): \(field) is not supported."
    case .missing(let line, let field):
      (line.map { "line \($0): " } ?? "") + "a model lacks its \(field)."
    case .platform(let model, let platform):
      "model \"\(model)\" has the platform \"\(platform.prefix(64))\"; it must be \"tensorflow\"."
    case .duplicate(let model): "model \"\(model)\" is listed twice."
    case .tooMany(let limit): "more than \(limit) models are listed."
    }
  }
}
