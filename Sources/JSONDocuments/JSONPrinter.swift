/// Writes a tree as JSON text without white space.
struct JSONPrinter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: JSONValue) {
    switch value {
    case .null: text("null")
    case .boolean(let value): text(value ? "true" : "false")
    case .integer(let value): text(String(value))
    case .large(let value): text(String(value))
    case .number(let value): text(Self.shortest(value))
    case .string(let value): string(value)
    case .array(let elements): list("[", "]", elements) { $0.write($1) }
    case .object(let members):
      list("{", "}", members.sorted { $0.key < $1.key }) {
        $0.string($1.key)
        $0.text(":")
        $0.write($1.value)
      }
    }
  }

  private mutating func list<Element>(
    _ open: String, _ close: String, _ elements: [Element],
    _ body: (inout JSONPrinter, Element) -> Void
  ) {
    text(open)
    for (index, element) in elements.enumerated() {
      if index > 0 { text(",") }
      body(&self, element)
    }
    text(close)
  }

  private mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Whole numbers without a fraction, as readers of counts expect.
  private static func shortest(_ value: Double) -> String {
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 53, value.sign == .plus || whole != 0 {
      return String(whole)
    }
    return value.description
  }

  private mutating func string(_ string: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""): text("\\\"")
      case UInt8(ascii: "\\"): text("\\\\")
      case 0x0A: text("\\n")
      case 0x0D: text("\\r")
      case 0x09: text("\\t")
      case 0..<0x20:
        let code = String(byte, radix: 16)
        text("\\u" + String(repeating: "0", count: 4 - code.utf8.count) + code)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
