import JSONDocuments

/// A command with all that it takes, as programs that write manuals read it.
struct CommandDescription: Encodable {
  /// One value of a command.
  struct Value: Encodable {
    var kind: String
    /// With their dashes, the long ones first.
    var names: [String]
    var valueName: String
    var abstract: String
    var defaultValue: String?
    var isOptional: Bool
    var isRepeating: Bool
  }

  var commandName: String
  var abstract: String
  var discussion: String
  var arguments: [Value]
  var subcommands: [CommandDescription]

  /// What is hidden is left out.
  init(_ command: any ParsableCommand.Type) {
    let configuration = command.configuration
    commandName = command.commandName
    abstract = configuration.abstract
    discussion = configuration.discussion
    arguments = command.shownDefinitions.map { definition in
      Value(
        kind: definition.kind.rawValue, names: definition.names,
        valueName: definition.valueName, abstract: definition.help.abstract,
        defaultValue: definition.defaultText, isOptional: definition.isOptional,
        isRepeating: definition.isRepeating)
    }
    subcommands = configuration.subcommands.filter { $0.configuration.shouldDisplay }
      .map(CommandDescription.init)
  }

  static func json(_ root: any ParsableCommand.Type) -> String {
    // Every value of the description has a JSON form.
    let bytes = (try? JSONDocument.encode(CommandDescription(root))) ?? []
    return String(decoding: bytes, as: UTF8.self) + "\n"
  }
}
