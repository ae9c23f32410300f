/// The place in a tree that an encoder fills.
final class EncodedNode {
  private enum Content {
    case value(JSONValue)
    case array([EncodedNode])
    case object([String: EncodedNode])
  }

  private var content = Content.value(.object([:]))

  /// The tree below.
  var value: JSONValue {
    switch content {
    case .value(let value): value
    case .array(let nodes): .array(nodes.map(\.value))
    case .object(let nodes): .object(nodes.mapValues(\.value))
    }
  }

  var elementCount: Int {
    if case .array(let nodes) = content { nodes.count } else { 0 }
  }

  func becomeArray() {
    if case .array = content { return }
    content = .array([])
  }

  func becomeObject() {
    if case .object = content { return }
    content = .object([:])
  }

  func set(_ value: JSONValue) { content = .value(value) }

  func element() -> EncodedNode {
    let node = EncodedNode()
    if case .array(let nodes) = content { content = .array(nodes + [node]) }
    return node
  }

  func member(_ key: String) -> EncodedNode {
    let node = EncodedNode()
    if case .object(var nodes) = content {
      nodes[key] = node
      content = .object(nodes)
    }
    return node
  }

  /// Fills the node with what `value` encodes.
  func encode<Value: Encodable>(_ value: Value, _ path: [any CodingKey]) throws {
    if let primitive = try Self.primitive(value, path) {
      content = .value(primitive)
    } else {
      try value.encode(to: ValueEncoder(node: self, codingPath: path))
    }
  }

  /// Nil when JSON has no form of its own for the value.
  private static func primitive(_ value: some Encodable, _ path: [any CodingKey]) throws -> JSONValue? {
    switch value {
    case let value as Bool: .boolean(value)
    case let value as String: .string(value)
    case let value as Double: try number(value, value.description, path)
    case let value as Float: try number(Double(value.description) ?? .nan, value.description, path)
    case let value as Int: .integer(Int64(value))
    case let value as Int64: .integer(value)
    case let value as Int32: .integer(Int64(value))
    case let value as Int16: .integer(Int64(value))
    case let value as Int8: .integer(Int64(value))
    case let value as UInt: .large(UInt64(value))
    case let value as UInt64: .large(value)
    case let value as UInt32: .integer(Int64(value))
    case let value as UInt16: .integer(Int64(value))
    case let value as UInt8: .integer(Int64(value))
    default: nil
    }
  }

  private static func number(
    _ value: Double, _ shown: String, _ path: [any CodingKey]
  ) throws -> JSONValue {
    guard value.isFinite else {
      throw EncodingError.invalidValue(
        value, .init(codingPath: path, debugDescription: "JSON has no form for \(shown)"))
    }
    return .number(value)
  }
}
