/// Documents between JSON text and Swift values.
package enum JSONDocument {
  /// Arrays and objects inside each other.
  package static let depthMaximum = 64

  /// Reads a value from JSON or JSON5 text.
  ///
  /// - Throws: `JSONSyntaxError`, `DecodingError`, or what the type's own `init(from:)` throws.
  package static func decode<Value: Decodable>(_ type: Value.Type, from text: [UInt8]) throws -> Value {
    var parser = JSONParser(text)
    return try ValueDecoder(parser.document(), []).decode(type)
  }

  /// Writes a value as JSON without white space, the keys of each object sorted.
  ///
  /// - Throws: `EncodingError` for a number that is not finite, or what the value's own `encode(to:)` throws.
  package static func encode(_ value: some Encodable) throws -> [UInt8] {
    let node = EncodedNode()
    try node.encode(value, [])
    var printer = JSONPrinter()
    printer.write(node.value)
    return printer.bytes
  }
}
