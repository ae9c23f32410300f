/// A value by its place: `edgeserve inspect FILE`.
@propertyWrapper
package struct Argument<Value>: ArgumentProperty, Sendable {
  let storage: ArgumentStorage<Value>
  private let define: @Sendable (String) -> ArgumentDefinition

  package var wrappedValue: Value {
    get { storage.parsed }
    nonmutating set { storage.value = newValue }
  }

  func definitions(_ label: String) -> [ArgumentDefinition] { [define(label)] }

  private init(
    _ value: Value?, _ help: ArgumentHelp?, isRepeating: Bool = false, defaultText: String? = nil,
    take: @escaping @Sendable (ArgumentStorage<Value>, String) -> Bool
  ) {
    let storage = ArgumentStorage(value)
    let isOptional = value != nil
    self.storage = storage
    define = { label in
      ArgumentDefinition(
        kind: .positional, names: [], help: help ?? "",
        valueName: help?.valueName ?? dashed(label), isOptional: isOptional,
        isRepeating: isRepeating, defaultText: defaultText,
        take: { word in
          guard take(storage, word) else { return false }
          storage.isGiven = true
          return true
        }, isGiven: { storage.isGiven })
    }
  }
}

extension Argument where Value: ExpressibleByArgument {
  /// One that must be given.
  package init(help: ArgumentHelp? = nil) {
    self.init(nil, help) { $0.set(Value(argument: $1)) }
  }

  /// One that has a default.
  package init(wrappedValue: Value, help: ArgumentHelp? = nil) {
    self.init(wrappedValue, help, defaultText: String(describing: wrappedValue)) {
      $0.set(Value(argument: $1))
    }
  }
}

extension Argument {
  /// One that may be left out.
  package init<Wrapped: ExpressibleByArgument>(help: ArgumentHelp? = nil) where Value == Wrapped? {
    self.init(.some(nil), help) { $0.set(Wrapped(argument: $1).map(Optional.some)) }
  }

  /// All that follow; at least one.
  package init<Element: ExpressibleByArgument>(help: ArgumentHelp? = nil)
  where Value == [Element] {
    self.init(nil, help, isRepeating: true) { $0.append(Element(argument: $1)) }
  }

  /// All that follow, or the default.
  package init<Element: ExpressibleByArgument>(
    wrappedValue: [Element], help: ArgumentHelp? = nil
  ) where Value == [Element] {
    self.init(wrappedValue, help, isRepeating: true) { $0.append(Element(argument: $1)) }
  }
}
