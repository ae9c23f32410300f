/// Reads JSON5, of which JSON is a part: comments, single quotes, bare keys, trailing commas, hexadecimal numbers.
///
/// Source: json5.org, version 1.0.0; infinities and NaN are refused, for want of a use.
struct JSONParser {
  let text: [UInt8]
  var position = 0
  private var depth = 0

  init(_ text: [UInt8]) { self.text = text }

  /// The one value of the text.
  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    let value = try value()
    try skipSpace()
    guard position == text.count else { throw failure(.end) }
    return value
  }

  var next: UInt8? { position < text.count ? text[position] : nil }

  func failure(_ cause: JSONSyntaxError.Cause, at place: Int? = nil) -> JSONSyntaxError {
    let before = text[..<min(place ?? position, text.count)]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return JSONSyntaxError(
      cause, line: before.count { $0 == UInt8(ascii: "\n") } + 1,
      column: before.count - lineStart + 1)
  }

  /// True when `byte` was next, which is then passed.
  mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  private mutating func value() throws(JSONSyntaxError) -> JSONValue {
    try skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try nested { (parser) throws(JSONSyntaxError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { (parser) throws(JSONSyntaxError) in try parser.array() }
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try string())
    case .some(let byte) where Self.isNumberStart(byte): return try number()
    default: return try word()
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONSyntaxError) -> JSONValue
  ) throws(JSONSyntaxError) -> JSONValue {
    guard depth < JSONDocument.depthMaximum else { throw failure(.depth) }
    depth += 1
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(JSONSyntaxError) -> JSONValue {
    var members: [String: JSONValue] = [:]
    while true {
      try skipSpace()
      if take("}") { return .object(members) }
      let place = position
      let key = try key()
      guard members[key] == nil else { throw failure(.duplicate, at: place) }
      try skipSpace()
      guard take(":") else { throw failure(.colon) }
      members[key] = try value()
      try skipSpace()
      if take(",") { continue }
      guard take("}") else { throw failure(.separator) }
      return .object(members)
    }
  }

  private mutating func array() throws(JSONSyntaxError) -> JSONValue {
    var elements: [JSONValue] = []
    while true {
      try skipSpace()
      if take("]") { return .array(elements) }
      elements.append(try value())
      try skipSpace()
      if take(",") { continue }
      guard take("]") else { throw failure(.separator) }
      return .array(elements)
    }
  }

  private mutating func key() throws(JSONSyntaxError) -> String {
    if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") { return try string() }
    let start = position
    while let byte = next, Self.isNamePart(byte) { position += 1 }
    guard position > start, !Self.isDigit(text[start]) else { throw failure(.key, at: start) }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  private mutating func word() throws(JSONSyntaxError) -> JSONValue {
    let start = position
    while let byte = next, Self.isNamePart(byte) { position += 1 }
    switch String(decoding: text[start..<position], as: UTF8.self) {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "null": return .null
    default: throw failure(.value, at: start)
    }
  }

  /// Passes white space and comments.
  private mutating func skipSpace() throws(JSONSyntaxError) {
    while let byte = next {
      switch byte {
      case 0x20, 0x09...0x0D: position += 1
      case UInt8(ascii: "/"):
        guard position + 1 < text.count else { return }
        if text[position + 1] == UInt8(ascii: "/") {
          while let byte = next, byte != UInt8(ascii: "\n") { position += 1 }
        } else if text[position + 1] == UInt8(ascii: "*") {
          try skipBlockComment()
        } else {
          return
        }
      default: return
      }
    }
  }

  private mutating func skipBlockComment() throws(JSONSyntaxError) {
    let start = position
    position += 2
    while position + 1 < text.count {
      if text[position] == UInt8(ascii: "*"), text[position + 1] == UInt8(ascii: "/") {
        position += 2
        return
      }
      position += 1
    }
    throw failure(.unfinishedComment, at: start)
  }

  static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isNumberStart(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
  }

  static func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"), UInt8(ascii: "$"):
      true
    default: isDigit(byte)
    }
  }
}
