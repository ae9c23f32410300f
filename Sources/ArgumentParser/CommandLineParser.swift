/// Reads the words after a command's name into its properties.
struct CommandLineParser {
  /// The command and those that it belongs to, the root first.
  let path: [any ParsableCommand.Type]

  /// - Throws: `CommandLineExit`, or what the command's own validation throws.
  func parse(_ words: [String], into command: inout some ParsableCommand) throws {
    let properties = command.argumentProperties
    let definitions = properties.flatMap { $0.property.definitions($0.label) }
    try take(words, definitions)
    if let missing = definitions.first(where: { !$0.isOptional && !$0.isGiven() }) {
      throw usage.error("Missing expected argument '\(missing.synopsis)'", about: missing)
    }
    do {
      for (_, property) in properties { try property.validate() }
      try command.validate()
    } catch let error as ValidationError {
      throw usage.error(error.message)
    }
  }

  private var usage: UsageText { UsageText(path) }

  private func take(
    _ words: [String], _ definitions: [ArgumentDefinition]
  ) throws(CommandLineExit) {
    var positionals = definitions.filter { $0.kind == .positional }[...]
    var rest = words[...]
    var isPastOptions = false
    while let word = rest.popFirst() {
      if !isPastOptions, word == "--" {
        isPastOptions = true
      } else if !isPastOptions, word.hasPrefix("-"), word != "-", !Self.isNumber(word) {
        try takeOption(word, &rest, definitions)
      } else {
        guard let definition = positionals.first else {
          throw usage.error("Unexpected argument '\(word)'")
        }
        try take(word, definition)
        if !definition.isRepeating { positionals.removeFirst() }
      }
    }
  }

  private func takeOption(
    _ word: String, _ rest: inout ArraySlice<String>, _ definitions: [ArgumentDefinition]
  ) throws(CommandLineExit) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let definition = definitions.first(where: { $0.names.contains(name) }) else {
      throw reserved(name) ?? unknown(name, definitions)
    }
    let given = parts.count == 2 ? String(parts[1]) : nil
    if case .flag = definition.kind {
      guard given == nil else { throw usage.error("The flag '\(name)' takes no value") }
      _ = definition.take("")
      return
    }
    guard let value = given ?? Self.value(&rest, definitions) else {
      throw usage.error("Missing value for '\(definition.synopsis)'", about: definition)
    }
    try take(value, definition)
    guard definition.takesSeveral, given == nil else { return }
    while let next = Self.value(&rest, definitions) { try take(next, definition) }
  }

  private func take(
    _ word: String, _ definition: ArgumentDefinition
  ) throws(CommandLineExit) {
    guard definition.take(word) else {
      throw usage.error(
        "The value '\(word)' is invalid for '\(definition.synopsis)'", about: definition)
    }
  }

  /// The next word, unless it is the name of an option.
  private static func value(
    _ rest: inout ArraySlice<String>, _ definitions: [ArgumentDefinition]
  ) -> String? {
    guard let word = rest.first, !word.hasPrefix("--") else { return nil }
    let isName = definitions.contains { $0.names.contains(word) }
    return isName || CommandTree.helpNames.contains(word) ? nil : rest.popFirst()
  }

  /// Help and version, of every command that gives these names no meaning of its own.
  private func reserved(_ name: String) -> CommandLineExit? {
    if CommandTree.helpNames.contains(name) { return .text(HelpText(path).text) }
    let version = path[0].configuration.version
    return name == CommandTree.versionName && !version.isEmpty ? .text(version + "\n") : nil
  }

  private func unknown(_ name: String, _ definitions: [ArgumentDefinition]) -> CommandLineExit {
    let known = definitions.filter { $0.help.visibility == .visible }.flatMap(\.names)
    let nearest = NearestWord.find(name, among: known)
    return usage.error(
      "Unknown option '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
  }

  /// `-5` is a value, not a name.
  private static func isNumber(_ word: String) -> Bool { Double(word) != nil }
}
