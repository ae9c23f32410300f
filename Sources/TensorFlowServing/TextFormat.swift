/// A message in the text format of Protocol Buffers, as a tree of its fields.
///
/// Source: Protocol Buffers, Text Format Language Specification; without extensions, `Any`,
/// floating point and octal or hexadecimal numbers, which no field that is read here takes.
struct TextMessage: Sendable, Equatable {
  indirect enum Value: Sendable, Equatable {
    case text(String)
    case number(Int64)
    /// The name of an enumeration's value, or a boolean.
    case word(String)
    case message(TextMessage)
  }

  struct Field: Sendable, Equatable {
    var name: String
    var value: Value
    /// Where the name stands, counted from 1.
    var line: Int
  }

  var fields: [Field] = []

  /// Levels of messages within each other.
  static let depthMaximum = 16
  /// Fields of the whole document.
  static let fieldsMaximum = 10_000

  /// Reads a whole document.
  init(_ document: [UInt8]) throws(ModelConfigError) {
    var parser = TextFormatParser(document)
    fields = try parser.document()
  }

  init(fields: [Field]) { self.fields = fields }
}

/// Reads the tokens of a document one by one.
private struct TextFormatParser {
  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var lineStart = 0
  private var fieldCount = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(ModelConfigError) -> [TextMessage.Field] {
    let fields = try message(until: nil, depth: 0)
    return fields
  }

  private func failure(_ reason: String) -> ModelConfigError {
    .syntax(line: line, column: position - lineStart + 1, reason: reason)
  }

  /// Fields up to the closing mark, which is passed, or the end of the document.
  private mutating func message(
    until close: UInt8?, depth: Int
  ) throws(ModelConfigError) -> [TextMessage.Field] {
    guard depth <= TextMessage.depthMaximum else {
      throw failure("messages lie more than \(TextMessage.depthMaximum) deep")
    }
    var fields: [TextMessage.Field] = []
    while true {
      skipSpace()
      guard let byte = peek else {
        guard let close else { return fields }
        throw failure("expected '\(Character(UnicodeScalar(close)))' before the end")
      }
      if byte == close {
        position += 1
        return fields
      }
      fields += try field(depth: depth)
      skipSpace()
      if peek == UInt8(ascii: ",") || peek == UInt8(ascii: ";") { position += 1 }
    }
  }

  /// One field, which a list makes several.
  private mutating func field(depth: Int) throws(ModelConfigError) -> [TextMessage.Field] {
    let start = line
    guard let name = word() else { throw failure("expected the name of a field") }
    skipSpace()
    let hasColon = peek == UInt8(ascii: ":")
    if hasColon { position += 1 }
    skipSpace()
    guard peek == UInt8(ascii: "["), hasColon else {
      return [try make(name, try value(depth: depth, hasColon: hasColon), start)]
    }
    position += 1
    var fields: [TextMessage.Field] = []
    skipSpace()
    while peek != UInt8(ascii: "]") {
      fields.append(try make(name, try value(depth: depth, hasColon: true), start))
      skipSpace()
      if peek == UInt8(ascii: ",") { position += 1 } else { break }
      skipSpace()
    }
    guard peek == UInt8(ascii: "]") else { throw failure("expected ',' or ']' in a list") }
    position += 1
    return fields
  }

  private mutating func make(
    _ name: String, _ value: TextMessage.Value, _ line: Int
  ) throws(ModelConfigError) -> TextMessage.Field {
    fieldCount += 1
    guard fieldCount <= TextMessage.fieldsMaximum else {
      throw failure("more than \(TextMessage.fieldsMaximum) fields")
    }
    return TextMessage.Field(name: name, value: value, line: line)
  }

  private mutating func value(
    depth: Int, hasColon: Bool
  ) throws(ModelConfigError) -> TextMessage.Value {
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"):
      position += 1
      return .message(
        TextMessage(fields: try message(until: UInt8(ascii: "}"), depth: depth + 1)))
    case UInt8(ascii: "<"):
      position += 1
      return .message(
        TextMessage(fields: try message(until: UInt8(ascii: ">"), depth: depth + 1)))
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      guard hasColon else { throw failure("expected ':' before a value") }
      return .text(try text())
    case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
      guard hasColon else { throw failure("expected ':' before a value") }
      return .number(try number())
    default:
      guard hasColon else { throw failure("expected ':' or '{' behind the name of a field") }
      guard let word = word() else { throw failure("expected a value") }
      return .word(word)
    }
  }

  /// Texts behind one another are one.
  private mutating func text() throws(ModelConfigError) -> String {
    var content: [UInt8] = []
    while let quote = peek, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
      position += 1
      while let byte = peek, byte != quote {
        guard byte != UInt8(ascii: "\n") else { throw failure("a text goes beyond its line") }
        position += 1
        content.append(byte == UInt8(ascii: "\\") ? try escaped() : byte)
      }
      guard peek == quote else { throw failure("a text has no end") }
      position += 1
      skipSpace()
    }
    guard let text = String(validating: content, as: UTF8.self) else {
      throw failure("a text is not UTF-8")
    }
    return text
  }

  private mutating func escaped() throws(ModelConfigError) -> UInt8 {
    guard let byte = peek else { throw failure("a text has no end") }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "?"): return byte
    default: throw failure("the escape '\\\(Character(UnicodeScalar(byte)))' is not known")
    }
  }

  private mutating func number() throws(ModelConfigError) -> Int64 {
    let start = position
    if peek == UInt8(ascii: "-") { position += 1 }
    while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
    let digits = String(decoding: bytes[start..<position], as: UTF8.self)
    let continues = peek.map { Self.isWordByte($0) || $0 == UInt8(ascii: ".") } ?? false
    guard !continues, let number = Int64(digits) else {
      throw failure("'\(digits)' is no whole decimal number of 64 bits")
    }
    return number
  }

  private mutating func word() -> String? {
    let start = position
    while let byte = peek, Self.isWordByte(byte) { position += 1 }
    return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Passes white space, and comments to the end of their line.
  private mutating func skipSpace() {
    var isComment = false
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\n"):
        isComment = false
        line += 1
        lineStart = position + 1
      case UInt8(ascii: "#"): isComment = true
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
      default: if !isComment { return }
      }
      position += 1
    }
  }
}
