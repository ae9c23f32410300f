/// Decodes a Swift value from a tree.
struct ValueDecoder: Decoder {
  let value: JSONValue
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(_ value: JSONValue, _ codingPath: [any CodingKey]) {
    self.value = value
    self.codingPath = codingPath
  }

  func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object(let members) = value else { throw mismatch([String: Any].self, "an object") }
    return KeyedDecodingContainer(ObjectDecoder(members: members, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let elements) = value else { throw mismatch([Any].self, "an array") }
    return ArrayDecoder(elements: elements, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
    let context = DecodingError.Context(
      codingPath: codingPath, debugDescription: "expected \(expected), found \(value.kind)")
    return value == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
  }
}

extension ValueDecoder: SingleValueDecodingContainer {
  func decodeNil() -> Bool { value == .null }

  /// Stands for the requirement of every primitive type, too.
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try primitive(type) ?? Value(from: self)
  }

  /// Nil when `type` is not one that JSON has a form of its own for.
  private func primitive<Value>(_ type: Value.Type) throws -> Value? {
    switch type {
    case is Bool.Type:
      guard case .boolean(let value) = value else { throw mismatch(type, "a boolean") }
      return value as? Value
    case is String.Type:
      guard case .string(let value) = value else { throw mismatch(type, "a string") }
      return value as? Value
    case is Double.Type: return try real() as? Value
    case is Float.Type: return Float(try real()) as? Value
    case is Int.Type: return try integer(Int.self) as? Value
    case is Int8.Type: return try integer(Int8.self) as? Value
    case is Int16.Type: return try integer(Int16.self) as? Value
    case is Int32.Type: return try integer(Int32.self) as? Value
    case is Int64.Type: return try integer(Int64.self) as? Value
    case is UInt.Type: return try integer(UInt.self) as? Value
    case is UInt8.Type: return try integer(UInt8.self) as? Value
    case is UInt16.Type: return try integer(UInt16.self) as? Value
    case is UInt32.Type: return try integer(UInt32.self) as? Value
    case is UInt64.Type: return try integer(UInt64.self) as? Value
    default: return nil
    }
  }

  private func real() throws -> Double {
    switch value {
    case .integer(let value): Double(value)
    case .large(let value): Double(value)
    case .number(let value): value
    default: throw mismatch(Double.self, "a number")
    }
  }

  private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    let result: Value? =
      switch value {
      case .integer(let value): Value(exactly: value)
      case .large(let value): Value(exactly: value)
      case .number(let value): Value(exactly: value)
      default: throw mismatch(type, "an integer")
      }
    guard let result else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath,
          debugDescription: "expected an integer from \(Value.min) to \(Value.max)"))
    }
    return result
  }
}
