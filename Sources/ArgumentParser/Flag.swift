/// A name alone, which says yes: `--json`.
@propertyWrapper
package struct Flag: ArgumentProperty, Sendable {
  private let storage: ArgumentStorage<Bool>
  private let name: NameSpecification
  private let help: ArgumentHelp

  package var wrappedValue: Bool {
    get { storage.parsed }
    nonmutating set { storage.value = newValue }
  }

  package init(
    wrappedValue: Bool, name: NameSpecification = .long, help: ArgumentHelp? = nil
  ) {
    precondition(!wrappedValue, "a flag can only be set")
    storage = ArgumentStorage(wrappedValue)
    self.name = name
    self.help = help ?? ""
  }

  func definitions(_ label: String) -> [ArgumentDefinition] {
    let storage = storage
    return [
      ArgumentDefinition(
        kind: .flag, names: name.names(label), help: help, valueName: dashed(label),
        isOptional: true,
        take: { _ in
          storage.value = true
          storage.isGiven = true
          return true
        }, isGiven: { storage.isGiven })
    ]
  }
}

extension OptionGroup: Sendable where Group: Sendable {}

/// Options that several commands share.
@propertyWrapper
package struct OptionGroup<Group: ParsableArguments>: ArgumentProperty {
  package let wrappedValue: Group

  package init() { wrappedValue = Group() }

  func definitions(_ label: String) -> [ArgumentDefinition] { wrappedValue.argumentDefinitions }

  func validate() throws {
    for (_, property) in wrappedValue.argumentProperties { try property.validate() }
    var group = wrappedValue
    try group.validate()
  }
}
