/// Finds the command that a command line names.
struct CommandTree {
  let root: any ParsableCommand.Type

  /// Words that stand for a command's help, and the version's.
  static let helpNames = ["-h", "--help"]
  static let versionName = "--version"

  /// - Throws: `CommandLineExit`, or what the command's own validation throws.
  func command(_ arguments: [String]) throws -> any ParsableCommand {
    if let text = try reserved(arguments) { throw CommandLineExit.text(text) }
    let isHelp = arguments.first == "help"
    let words = isHelp ? Array(arguments.dropFirst()) : arguments
    var path = [root]
    var index = 0
    while !path[path.count - 1].configuration.subcommands.isEmpty, index < words.count {
      let word = words[index]
      if word.hasPrefix("-") { break }
      path.append(try subcommand(word, path))
      index += 1
    }
    if isHelp {
      guard index == words.count else {
        throw UsageText(path).error("Unexpected argument '\(words[index])'")
      }
      throw CommandLineExit.text(HelpText(path).text)
    }
    let rest = Array(words.dropFirst(index))
    if rest.isEmpty, !path[path.count - 1].configuration.subcommands.isEmpty {
      throw CommandLineExit.text(HelpText(path).text)
    }
    return try path[path.count - 1].parse(rest, path)
  }

  private func subcommand(
    _ word: String, _ path: [any ParsableCommand.Type]
  ) throws(CommandLineExit) -> any ParsableCommand.Type {
    let known = path[path.count - 1].configuration.subcommands
    if let found = known.first(where: { $0.commandName == word }) { return found }
    let nearest = NearestWord.find(
      word, among: known.filter { $0.configuration.shouldDisplay }.map { $0.commandName })
    throw UsageText(path).error(
      "Unknown command '\(word)'" + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
  }

  /// What build scripts ask for.
  private func reserved(_ arguments: [String]) throws(CommandLineExit) -> String? {
    switch arguments.first {
    case "--dump-help" where arguments.count == 1:
      return CommandDescription.json(root)
    case "--generate-completion-script":
      guard arguments.count == 2, let shell = CompletionShell(rawValue: arguments[1]) else {
        throw UsageText([root]).error("--generate-completion-script takes bash, zsh or fish")
      }
      return CompletionScript(root).text(shell)
    default: return nil
    }
  }
}

/// Finds the word that was probably meant.
enum NearestWord {
  /// The known word with the fewest edits to `word`, when they are at most half of its length.
  static func find(_ word: String, among known: [String]) -> String? {
    let ranked = known.map { (edits: edits(Array(word.utf8), Array($0.utf8)), word: $0) }
    guard let best = ranked.min(by: { $0.edits < $1.edits }) else { return nil }
    return best.edits * 2 <= word.utf8.count ? best.word : nil
  }

  /// The Levenshtein distance, one row at a time.
  private static func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, left) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, right) in b.enumerated() {
        let replaced = diagonal + (left == right ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
