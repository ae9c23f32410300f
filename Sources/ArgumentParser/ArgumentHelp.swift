/// What help says of a value.
package struct ArgumentHelp: Sendable, ExpressibleByStringInterpolation {
  package enum Visibility: Sendable {
    case visible
    /// Works, and no help shows it.
    case hidden
  }

  package var abstract: String
  /// What stands for the value; nil for its name.
  package var valueName: String?
  package var visibility: Visibility

  package init(
    _ abstract: String = "", valueName: String? = nil, visibility: Visibility = .visible
  ) {
    self.abstract = abstract
    self.valueName = valueName
    self.visibility = visibility
  }

  package init(stringLiteral value: String) { self.init(value) }
}

/// How an option or a flag is typed.
package struct NameSpecification: Sendable, ExpressibleByArrayLiteral {
  enum Element: Sendable {
    /// The property's own name.
    case long, short
    case customLong(String)
    case customShort(Character)
  }

  var elements: [Element]

  package init(arrayLiteral elements: NameSpecification...) {
    self.elements = elements.flatMap(\.elements)
  }

  private init(_ element: Element) { elements = [element] }

  package static var long: Self { Self(.long) }
  package static var short: Self { Self(.short) }
  package static var shortAndLong: Self { [.long, .short] }
  package static func customLong(_ name: String) -> Self { Self(.customLong(name)) }
  package static func customShort(_ name: Character) -> Self { Self(.customShort(name)) }

  /// Names with their dashes, the long ones first.
  func names(_ property: String) -> [String] {
    let names = elements.map { element in
      switch element {
      case .long: "--" + dashed(property)
      case .short: "-" + property.prefix(1).lowercased()
      case .customLong(let name): "--" + name
      case .customShort(let name): "-" + String(name)
      }
    }
    return names.filter { $0.hasPrefix("--") } + names.filter { !$0.hasPrefix("--") }
  }
}
