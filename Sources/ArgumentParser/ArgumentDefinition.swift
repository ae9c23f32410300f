/// Where a property's value lies while the command line is read.
///
/// A reference, so that the parser reaches what lies within a command that it knows by reflection.
/// Unchecked: it is filled by the thread that parses, and only read once others have the command.
final class ArgumentStorage<Value>: @unchecked Sendable {
  /// Nil until the command line gives it, when there is no default.
  var value: Value?
  /// Whether the command line gave it.
  var isGiven = false

  init(_ value: Value?) { self.value = value }

  /// The value, which the parser made sure of.
  var parsed: Value {
    guard let value else { fatalError("a command's value is read before the command is parsed") }
    return value
  }
}

/// One property of a command, as the parser and the help see it.
struct ArgumentDefinition {
  enum Kind: String { case positional, option, flag }

  var kind: Kind
  /// With their dashes; none for a positional argument.
  var names: [String]
  var help: ArgumentHelp
  /// What stands for the value.
  var valueName: String
  /// Whether the command works without it.
  var isOptional: Bool
  /// Whether it may be given again.
  var isRepeating = false
  /// Whether values follow each other up to the next option.
  var takesSeveral = false
  var defaultText: String?
  /// Takes a word over; false when it is no such value.
  var take: (String) -> Bool
  var isGiven: () -> Bool

  /// As it is typed: `--threads <threads>`, `--json`, `<file>`.
  var synopsis: String {
    switch kind {
    case .positional: "<\(valueName)>"
    case .option: "\(names[0]) <\(valueName)>"
    case .flag: names[0]
    }
  }
}

/// A property wrapper that the parser fills.
protocol ArgumentProperty {
  /// - Parameter label: the property's name.
  func definitions(_ label: String) -> [ArgumentDefinition]
  func validate() throws
}

extension ArgumentProperty {
  func validate() throws {}
}

extension ParsableArguments {
  /// The wrapped properties in the order they are declared.
  var argumentProperties: [(label: String, property: any ArgumentProperty)] {
    Mirror(reflecting: self).children.compactMap { child in
      guard let label = child.label, let property = child.value as? any ArgumentProperty else {
        return nil
      }
      // The storage of a wrapped property has its name with an underscore before it.
      return (label: String(label.drop { $0 == "_" }), property: property)
    }
  }

  var argumentDefinitions: [ArgumentDefinition] {
    argumentProperties.flatMap { $0.property.definitions($0.label) }
  }
}

extension ParsableCommand {
  /// What help shows of this command's values.
  static var shownDefinitions: [ArgumentDefinition] {
    Self().argumentDefinitions.filter { $0.help.visibility == .visible }
  }
}
