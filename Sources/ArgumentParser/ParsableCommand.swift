/// Properties that are read from a command line, each with `@Option`, `@Flag`, `@Argument` or
/// `@OptionGroup`.
package protocol ParsableArguments {
  init()
  /// Checks what no single value shows; throws `ValidationError`.
  mutating func validate() throws
}

extension ParsableArguments {
  package mutating func validate() throws {}
}

/// A command, or a group of commands.
package protocol ParsableCommand: ParsableArguments, SendableMetatype {
  static var configuration: CommandConfiguration { get }
  mutating func run() throws
}

extension ParsableCommand {
  package static var configuration: CommandConfiguration { CommandConfiguration() }

  /// A group of commands does nothing by itself: asked alone, it shows its help.
  package mutating func run() throws { throw CommandLineExit.text(HelpText([Self.self]).text) }

  /// The name that is typed: as configured, else the type's own with dashes.
  static var commandName: String {
    configuration.commandName ?? dashed(String(describing: Self.self))
  }

  /// Reads the values of this command, without the name of a command.
  package static func parse(_ arguments: [String]) throws -> Self {
    try parse(arguments, [Self.self])
  }

  /// - Parameter path: this command and those that it belongs to, the root first.
  static func parse(_ arguments: [String], _ path: [any ParsableCommand.Type]) throws -> Self {
    var command = Self()
    try CommandLineParser(path: path).parse(arguments, into: &command)
    return command
  }

  /// Finds the command that the arguments name, below this one, and reads its values.
  ///
  /// - Parameter arguments: without the program's name.
  /// - Throws: `CommandLineExit`, or what the command's own validation throws.
  package static func parseAsRoot(
    _ arguments: [String] = Array(CommandLine.arguments.dropFirst())
  ) throws -> any ParsableCommand {
    try CommandTree(root: self).command(arguments)
  }
}

/// What a command is called and what it says of itself.
package struct CommandConfiguration: Sendable {
  package var commandName: String?
  /// One sentence.
  package var abstract: String
  /// Paragraphs; lines that begin with spaces are shown as they are.
  package var discussion: String
  /// What `--version` prints, for the command at the root.
  package var version: String
  /// Whether lists of commands show it.
  package var shouldDisplay: Bool
  package var subcommands: [any ParsableCommand.Type]

  package init(
    commandName: String? = nil, abstract: String = "", discussion: String = "",
    version: String = "", shouldDisplay: Bool = true,
    subcommands: [any ParsableCommand.Type] = []
  ) {
    self.commandName = commandName
    self.abstract = abstract
    self.discussion = discussion
    self.version = version
    self.shouldDisplay = shouldDisplay
    self.subcommands = subcommands
  }
}

/// A mistake in values that were read one by one.
package struct ValidationError: Error {
  package var message: String

  package init(_ message: String) { self.message = message }
}

/// Why a command line leads to no command.
package enum CommandLineExit: Error, Equatable {
  /// What was asked for, to be printed: help, a version, a script.
  case text(String)
  /// What is wrong with the command line, and how it is used; several lines.
  case usage(String)
}

/// `expiresDays` as `expires-days`.
func dashed(_ name: String) -> String {
  var result = ""
  for character in name {
    if character.isUppercase, !result.isEmpty { result += "-" }
    result += character.lowercased()
  }
  return result
}
