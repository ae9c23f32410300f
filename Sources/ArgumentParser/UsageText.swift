/// How a command is typed, in one line, and errors with it.
struct UsageText {
  /// The command and those that it belongs to, the root first.
  let path: [any ParsableCommand.Type]

  init(_ path: [any ParsableCommand.Type]) { self.path = path }

  var command: any ParsableCommand.Type { path[path.count - 1] }

  /// As it is typed: `edgeserve config show`.
  var name: String { path.map { $0.commandName }.joined(separator: " ") }

  /// Such as `edgeserve inspect <file> [--json]`.
  var line: String {
    guard command.configuration.subcommands.isEmpty else { return name + " <subcommand>" }
    let shown = command.shownDefinitions
    let optional = shown.filter { $0.isOptional && $0.kind != .positional }
    let isLong = optional.count > Self.optionsMaximum
    let words = shown.compactMap { definition -> String? in
      let text = definition.synopsis + (definition.isRepeating ? " ..." : "")
      if !definition.isOptional { return text }
      return isLong && definition.kind != .positional ? nil : "[\(text)]"
    }
    return ([name] + (isLong ? ["[<options>]"] : []) + words).joined(separator: " ")
  }

  /// More options than this are not listed in one line.
  private static let optionsMaximum = 10

  func error(_ sentence: String, about definition: ArgumentDefinition? = nil) -> CommandLineExit {
    var lines = ["Error: " + sentence]
    if let definition, !definition.help.abstract.isEmpty {
      lines.append("Help:  \(definition.synopsis)  \(definition.help.abstract)")
    }
    lines += ["Usage: " + line, "  See '\(name) --help' for more information."]
    return .usage(lines.joined(separator: "\n"))
  }
}
