/// A value that follows its name: `--threads 2`.
@propertyWrapper
package struct Option<Value>: ArgumentProperty, Sendable {
  let storage: ArgumentStorage<Value>
  private let define: @Sendable (String) -> ArgumentDefinition

  package var wrappedValue: Value {
    get { storage.parsed }
    nonmutating set { storage.value = newValue }
  }

  func definitions(_ label: String) -> [ArgumentDefinition] { [define(label)] }

  private init(
    _ value: Value?, _ name: NameSpecification, _ help: ArgumentHelp?, isOptional: Bool,
    isRepeating: Bool = false, takesSeveral: Bool = false, defaultText: String?,
    take: @escaping @Sendable (ArgumentStorage<Value>, String) -> Bool
  ) {
    let storage = ArgumentStorage(value)
    self.storage = storage
    define = { label in
      let names = name.names(label)
      return ArgumentDefinition(
        kind: .option, names: names, help: help ?? "",
        valueName: help?.valueName ?? String(names[0].drop { $0 == "-" }), isOptional: isOptional,
        isRepeating: isRepeating, takesSeveral: takesSeveral, defaultText: defaultText,
        take: { word in
          guard take(storage, word) else { return false }
          storage.isGiven = true
          return true
        }, isGiven: { storage.isGiven })
    }
  }
}

extension Option where Value: ExpressibleByArgument {
  /// One that must be given.
  package init(name: NameSpecification = .long, help: ArgumentHelp? = nil) {
    self.init(nil, name, help, isOptional: false, defaultText: nil) { $0.set(Value(argument: $1)) }
  }

  /// One that has a default.
  package init(
    wrappedValue: Value, name: NameSpecification = .long, help: ArgumentHelp? = nil
  ) {
    self.init(
      wrappedValue, name, help, isOptional: true, defaultText: String(describing: wrappedValue)
    ) { $0.set(Value(argument: $1)) }
  }
}

extension Option {
  /// One that may be left out.
  package init<Wrapped: ExpressibleByArgument>(
    name: NameSpecification = .long, help: ArgumentHelp? = nil
  ) where Value == Wrapped? {
    self.init(.some(nil), name, help, isOptional: true, defaultText: nil) {
      $0.set(Wrapped(argument: $1).map(Optional.some))
    }
  }

  /// One that may be given several times.
  package init<Element: ExpressibleByArgument>(
    wrappedValue: [Element], name: NameSpecification = .long,
    parsing: ArrayParsing = .singleValue, help: ArgumentHelp? = nil
  ) where Value == [Element] {
    self.init(
      wrappedValue, name, help, isOptional: true, isRepeating: true,
      takesSeveral: parsing == .upToNextOption, defaultText: nil
    ) { $0.append(Element(argument: $1)) }
  }

  /// One that must be given, once or several times.
  package init<Element: ExpressibleByArgument>(
    name: NameSpecification = .long, parsing: ArrayParsing = .singleValue,
    help: ArgumentHelp? = nil
  ) where Value == [Element] {
    self.init(
      nil, name, help, isOptional: false, isRepeating: true,
      takesSeveral: parsing == .upToNextOption, defaultText: nil
    ) { $0.append(Element(argument: $1)) }
  }
}

/// How the words of a list follow its name.
package enum ArrayParsing: Sendable {
  /// The name before each.
  case singleValue
  /// The name once, and words up to the next option.
  case upToNextOption
}

extension ArgumentStorage {
  /// Whether there was a value.
  func set(_ value: Value?) -> Bool {
    guard let value else { return false }
    self.value = value
    return true
  }

  /// Adds to what the command line gave; the default gives way to the first.
  func append<Element>(_ element: Element?) -> Bool where Value == [Element] {
    guard let element else { return false }
    value = (isGiven ? value ?? [] : []) + [element]
    return true
  }
}
