/// Why bytes are no message of the Protocol Buffers wire format; offsets count from the start of the
/// bytes that were handed over.
package enum ProtobufError: Error, Equatable, Sendable {
  /// A value at `offset` reaches beyond the end of its message.
  case truncated(offset: Int)
  /// The variable-length integer at `offset` has more than 64 bits.
  case integerTooLong(offset: Int)
  /// The key at `offset` names field 0, one above 2²⁹ − 1, or a wire type that is not read here.
  case invalidKey(offset: Int)
  /// Field `field` holds another kind of value than its message declares.
  case wrongWireType(field: Int, expected: ProtobufWireType, actual: ProtobufWireType)
  /// The text of field `field` is not UTF-8.
  case invalidText(field: Int)
  /// Field `field` occurs more often than `limit` times.
  case tooManyElements(field: Int, limit: Int)

  /// One sentence for people.
  package var sentence: String {
    switch self {
    case .truncated(let offset): "The message ends within a value at byte \(offset)."
    case .integerTooLong(let offset): "The integer at byte \(offset) is longer than 64 bits."
    case .invalidKey(let offset): "The field key at byte \(offset) is invalid."
    case .wrongWireType(let field, let expected, let actual):
      "Field \(field) has wire type \(actual.rawValue), not \(expected.rawValue)."
    case .invalidText(let field): "Field \(field) is not UTF-8."
    case .tooManyElements(let field, let limit): "Field \(field) occurs more than \(limit) times."
    }
  }
}

/// How a value lies on the wire; groups, which the format gave up, are not read.
package enum ProtobufWireType: UInt8, Sendable {
  case varint = 0
  case fixed64 = 1
  /// Bytes, text, a message, or packed numbers, behind their length.
  case delimited = 2
  case fixed32 = 5
}

/// The head of one field.
package struct ProtobufField: Sendable, Equatable {
  /// 1 to 2²⁹ − 1.
  package var number: Int
  package var wireType: ProtobufWireType

  package init(number: Int, wireType: ProtobufWireType) {
    self.number = number
    self.wireType = wireType
  }
}
