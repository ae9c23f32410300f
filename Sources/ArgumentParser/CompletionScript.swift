/// Shells that complete commands.
enum CompletionShell: String {
  case bash, zsh, fish
}

/// Scripts with which shells complete commands, options and files.
struct CompletionScript {
  private let root: CommandDescription

  init(_ root: any ParsableCommand.Type) { self.root = CommandDescription(root) }

  func text(_ shell: CompletionShell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  /// Every command with the names that lead to it below the root, the root first.
  private var commands: [(path: [String], command: CommandDescription)] {
    func below(_ path: [String], _ command: CommandDescription)
      -> [(path: [String], command: CommandDescription)]
    {
      [(path: path, command: command)]
        + command.subcommands.flatMap { below(path + [$0.commandName], $0) }
    }
    return below([], root)
  }

  private var name: String { root.commandName }

  /// Words of a command that completion offers.
  private func words(_ command: CommandDescription) -> [String] {
    command.subcommands.map { $0.commandName } + command.arguments.flatMap(\.names) + ["--help"]
  }

  /// The command is found word by word; where no word fits, bash completes files.
  private var bash: String {
    let descents = commands.dropFirst().map { path, _ in
      let parent = path.dropLast().map { " " + $0 }.joined()
      return "      '\(parent) \(path[path.count - 1])') command+=\" ${COMP_WORDS[i]}\" ;;"
    }
    let offers = commands.map { path, command in
      let key = path.map { " " + $0 }.joined()
      return "    '\(key)') words='\(words(command).joined(separator: " "))' ;;"
    }
    return """
      # Completion of \(name) for bash.
      _\(name)() {
        local command='' words='' i
        for ((i = 1; i < COMP_CWORD; i++)); do
          case "$command ${COMP_WORDS[i]}" in
      \(descents.joined(separator: "\n"))
          esac
        done
        case "$command" in
      \(offers.joined(separator: "\n"))
        esac
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
      }
      complete -o default -F _\(name) \(name)

      """
  }

  private var zsh: String {
    let functions = commands.map { path, command in
      let key = ([name] + path).joined(separator: "_")
      let options =
        command.arguments.map(Self.zshSpecification) + ["'--help[Show help information.]'"]
      guard !command.subcommands.isEmpty else {
        return "_\(key)() {\n  _arguments \\\n    "
          + options.joined(separator: " \\\n    ") + "\n}"
      }
      let listed = command.subcommands.map { "'\($0.commandName):\(Self.quoted($0.abstract))'" }
      return """
        _\(key)() {
          local -a commands=(\(listed.joined(separator: " ")))
          _arguments -C \(options.joined(separator: " ")) '1: :->command' '*:: :->rest'
          case $state in
            command) _describe command commands ;;
            rest) (( $+functions[_\(key)_$words[1]] )) && _\(key)_$words[1] ;;
          esac
        }
        """
    }
    return "#compdef \(name)\n" + functions.joined(separator: "\n") + "\n_\(name) \"$@\"\n"
  }

  private static func zshSpecification(_ value: CommandDescription.Value) -> String {
    let help = quoted(value.abstract)
    let repeats = value.isRepeating ? "*" : ""
    return switch value.kind {
    case "positional": "'\(repeats):\(value.valueName):_files'"
    case "flag": "'\(repeats)\(value.names[0])[\(help)]'"
    default: "'\(repeats)\(value.names[0])[\(help)]:\(value.valueName):_files'"
    }
  }

  private var fish: String {
    let lines = commands.flatMap { path, command -> [String] in
      let condition = Self.fishCondition(path, command)
      let commands = command.subcommands.map {
        "complete -c \(name) -f -n '\(condition)' -a \($0.commandName)"
          + " -d '\(Self.quoted($0.abstract))'"
      }
      let options = command.arguments.filter { !$0.names.isEmpty }.map { value in
        "complete -c \(name) -n '\(condition)' -l \(value.names[0].drop { $0 == "-" })"
          + (value.kind == "option" ? " -r" : "") + " -d '\(Self.quoted(value.abstract))'"
      }
      return commands + options
    }
    return "# Completion of \(name) for fish.\n" + lines.joined(separator: "\n") + "\n"
  }

  private static func fishCondition(_ path: [String], _ command: CommandDescription) -> String {
    guard let last = path.last else { return "__fish_use_subcommand" }
    let seen = "__fish_seen_subcommand_from \(last)"
    let inner = command.subcommands.map { $0.commandName }.joined(separator: " ")
    return inner.isEmpty ? seen : seen + "; and not __fish_seen_subcommand_from \(inner)"
  }

  /// Text within single quotes and brackets of any of the shells.
  private static func quoted(_ text: String) -> String {
    String(
      text.map { character in
        switch character {
        case "'": "’"
        case "[": "("
        case "]": ")"
        case ":": ";"
        case "\n": " "
        default: character
        }
      })
  }
}
