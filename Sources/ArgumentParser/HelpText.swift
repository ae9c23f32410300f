internal import JSONDocuments

/// What `--help` prints of a command, in 80 columns.
struct HelpText {
  private let usage: UsageText

  init(_ path: [any ParsableCommand.Type]) { usage = UsageText(path) }

  private static let width = 80
  /// Where descriptions begin.
  private static let column = 26

  var text: String {
    let configuration = usage.command.configuration
    var sections: [[String]] = []
    if !configuration.abstract.isEmpty {
      sections.append(Self.wrapped("OVERVIEW: " + configuration.abstract, indent: 0))
    }
    if !configuration.discussion.isEmpty {
      sections.append(Self.paragraphs(configuration.discussion))
    }
    sections.append(["USAGE: " + usage.line])
    let definitions = usage.command.shownDefinitions
    let positionals = definitions.filter { $0.kind == .positional }
    if !positionals.isEmpty { sections.append(["ARGUMENTS:"] + positionals.flatMap(Self.entry)) }
    sections.append(["OPTIONS:"] + options(definitions))
    let shown = configuration.subcommands.filter { $0.configuration.shouldDisplay }
    if !shown.isEmpty {
      sections.append(
        ["SUBCOMMANDS:"] + shown.flatMap { Self.entry($0.commandName, $0.configuration.abstract) })
      let root = usage.path[0].commandName
      let inner = usage.path.dropFirst().map { $0.commandName + " " }.joined()
      sections.append(["  See '\(root) help \(inner)<subcommand>' for detailed help."])
    }
    return sections.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private func options(_ definitions: [ArgumentDefinition]) -> [String] {
    var lines = definitions.filter { $0.kind != .positional }.flatMap(Self.entry)
    let hasOwn = definitions.contains { $0.names.contains(CommandTree.versionName) }
    if !usage.path[0].configuration.version.isEmpty, !hasOwn {
      lines += Self.entry(CommandTree.versionName, "Show the version.")
    }
    return lines
      + Self.entry(
        CommandTree.helpNames.joined(separator: ", "), "Show help information.")
  }

  private static func entry(_ definition: ArgumentDefinition) -> [String] {
    var heading = definition.names.joined(separator: ", ")
    if definition.kind != .flag {
      heading += (heading.isEmpty ? "" : " ") + "<\(definition.valueName)>"
    }
    var abstract = definition.help.abstract
    if let value = definition.defaultText, !value.isEmpty, !abstract.holds("default") {
      abstract += (abstract.isEmpty ? "" : " ") + "(default: \(value))"
    }
    return entry(heading, abstract)
  }

  private static func entry(_ heading: String, _ text: String) -> [String] {
    let lines = wrapped(text, indent: column)
    let start = "  " + heading
    guard start.count + 2 <= column, let first = lines.first else { return [start] + lines }
    let space = String(repeating: " ", count: column - start.count)
    return [start + space + String(first.dropFirst(column))] + Array(lines.dropFirst())
  }

  /// Paragraphs are filled; lines that begin with spaces, and those that introduce them, stay.
  private static func paragraphs(_ text: String) -> [String] {
    var lines: [String] = []
    var open = ""
    func close() {
      if !open.isEmpty { lines += wrapped(open, indent: 0) }
      open = ""
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty || line.hasPrefix(" ") || line.hasSuffix(":") && open.isEmpty {
        close()
        lines.append(String(line))
      } else {
        open += (open.isEmpty ? "" : " ") + line
      }
    }
    close()
    return lines
  }

  private static func wrapped(_ text: String, indent: Int) -> [String] {
    let space = String(repeating: " ", count: indent)
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, indent + line.count + 1 + word.count > width {
        lines.append(space + line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return line.isEmpty ? lines : lines + [space + line]
  }
}
