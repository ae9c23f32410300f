extension JSONReader {
  /// The string that comes next, its escapes decoded.
  package mutating func readString() throws(JSONError) -> String {
    let kind = try kind()
    guard kind == .string else {
      throw .wrongKind(expected: .string, actual: kind, offset: position)
    }
    let start = position + 1
    let hasEscapes = try skipString()
    let content = bytes[start..<(position - 1)]
    guard content.count <= JSONLimits.stringBytesMaximum else {
      throw .stringTooLong(limit: JSONLimits.stringBytesMaximum, offset: start - 1)
    }
    let decoded = hasEscapes ? try Self.unescape(content) : Array(content)
    guard let text = String(validating: decoded, as: UTF8.self) else {
      throw .invalidString(offset: start - 1)
    }
    return text
  }

  /// Passes over the string that comes next; whether it holds escapes.
  ///
  /// - Precondition: a quotation mark is next.
  @discardableResult
  mutating func skipString() throws(JSONError) -> Bool {
    let bytes = bytes
    var hasEscapes = false
    position += 1
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return hasEscapes
      case UInt8(ascii: "\\"):
        hasEscapes = true
        position += 2
      case 0..<0x20: throw .invalidString(offset: position)
      default: position += 1
      }
    }
    position = bytes.count
    throw .unexpectedEnd(offset: position)
  }

  static func unescape(_ content: ArraySlice<UInt8>) throws(JSONError) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(content.count)
    var rest = content
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        decoded.append(byte)
        continue
      }
      let offset = rest.startIndex - 1
      guard let escape = rest.popFirst() else { throw .invalidString(offset: offset) }
      switch escape {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(escape)
      case UInt8(ascii: "b"): decoded.append(0x08)
      case UInt8(ascii: "f"): decoded.append(0x0C)
      case UInt8(ascii: "n"): decoded.append(0x0A)
      case UInt8(ascii: "r"): decoded.append(0x0D)
      case UInt8(ascii: "t"): decoded.append(0x09)
      case UInt8(ascii: "u"):
        guard let scalar = unicodeScalar(&rest) else { throw .invalidString(offset: offset) }
        decoded.append(contentsOf: Array(String(Character(scalar)).utf8))
      default: throw .invalidString(offset: offset)
      }
    }
    return decoded
  }

  /// The scalar after `\u`, with the second half of a surrogate pair; nil when it is none.
  private static func unicodeScalar(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
    guard let first = codeUnit(&rest) else { return nil }
    guard 0xD800...0xDBFF ~= first else { return Unicode.Scalar(first) }
    guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u"),
      let second = codeUnit(&rest), 0xDC00...0xDFFF ~= second
    else { return nil }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
  }

  private static func codeUnit(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = rest.popFirst() else { return nil }
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - 0x30)
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - 0x57)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - 0x37)
      default: return nil
      }
    }
    return value
  }
}
