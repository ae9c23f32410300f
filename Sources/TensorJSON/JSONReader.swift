internal import Tensors

/// Reads one JSON document from front to back, without building a tree.
///
/// `NaN`, `Infinity` and `-Infinity` count as numbers. Every access is bounds-checked, and nesting
/// is bounded by `JSONLimits`.
package struct JSONReader: Sendable {
  let bytes: [UInt8]
  /// Index of the next byte.
  package internal(set) var position = 0
  var depth = 0
  /// Whether the innermost open object or array has had no element yet.
  private var isFirst = false
  /// Bit `d` tells whether the container at depth `d` is an object.
  private var objects: UInt64 = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Bytes that are yet to be read.
  package var remainingCount: Int { bytes.count - position }

  /// A reader of the same document that goes on at `position`, where a value begins.
  package func resumed(at position: Int) -> JSONReader {
    var reader = self
    reader.position = position
    return reader
  }

  /// The kind of the value that comes next.
  package mutating func kind() throws(JSONError) -> JSONKind {
    switch try nextByte() {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    case UInt8(ascii: "n"): .null
    case UInt8(ascii: "-"), UInt8(ascii: "N"), UInt8(ascii: "I"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      .number
    default: throw .unexpectedByte(offset: position)
    }
  }

  /// Enters the object that comes next; `nextKey` then gives its members.
  package mutating func openObject() throws(JSONError) {
    try open(UInt8(ascii: "{"), .object)
  }

  /// The key of the next member, whose value must then be read or skipped; nil at the end of the
  /// object, which is left.
  package mutating func nextKey() throws(JSONError) -> String? {
    guard try advance(closing: UInt8(ascii: "}")) else { return nil }
    guard try nextByte() == UInt8(ascii: "\"") else { throw .unexpectedByte(offset: position) }
    let key = try readString()
    guard try nextByte() == UInt8(ascii: ":") else { throw .unexpectedByte(offset: position) }
    position += 1
    return key
  }

  /// Enters the array that comes next; `nextElement` then walks it.
  package mutating func openArray() throws(JSONError) {
    try open(UInt8(ascii: "["), .array)
  }

  /// Whether another element comes, which must then be read or skipped; false at the end of the
  /// array, which is left.
  package mutating func nextElement() throws(JSONError) -> Bool {
    try advance(closing: UInt8(ascii: "]"))
  }

  package mutating func readBool() throws(JSONError) -> Bool {
    let kind = try kind()
    guard kind == .bool else { throw .wrongKind(expected: .bool, actual: kind, offset: position) }
    if bytes[position] == UInt8(ascii: "t") {
      try readWord("true")
      return true
    }
    try readWord("false")
    return false
  }

  /// An integer that fits; a fraction or exponent is refused.
  package mutating func readInteger() throws(JSONError) -> Int {
    let kind = try kind()
    guard kind == .number else {
      throw .wrongKind(expected: .number, actual: kind, offset: position)
    }
    let start = position
    let number = try scanNumber(bytes, &position)
    return Int(try number.signed(.int64, offset: start))
  }

  /// A number as the nearest double; a truth value as 1 or 0.
  package mutating func readNumber() throws(JSONError) -> Double {
    let kind = try kind()
    if kind == .bool { return try readBool() ? 1 : 0 }
    guard kind == .number else {
      throw .wrongKind(expected: .number, actual: kind, offset: position)
    }
    let start = position
    let number = try scanNumber(bytes, &position)
    return DecimalRounding.double(number, bytes, start..<position)
  }

  /// Passes over the value that comes next, whatever it is, checking its grammar.
  package mutating func skipValue() throws(JSONError) {
    var open = 0
    repeat {
      switch try kind() {
      case .object:
        try openObject()
        open += 1
      case .array:
        try openArray()
        open += 1
      case .string: try skipString()
      case .number: _ = try scanNumber(bytes, &position)
      case .bool: _ = try readBool()
      case .null: try readWord("null")
      }
      try closeFinished(&open)
    } while open > 0
  }

  /// Passes over the value that comes next and returns where it begins, checking no more than that
  /// its brackets are balanced and its strings end: for a value that is read later.
  package mutating func postponeValue() throws(JSONError) -> Int {
    let kind = try kind()
    let start = position
    guard kind == .array || kind == .object else {
      try skipValue()
      return start
    }
    let bytes = bytes
    var open = 0
    // The lowest bit tells whether the innermost open bracket is an object's.
    var objects: UInt64 = 0
    repeat {
      guard position < bytes.count else { throw .unexpectedEnd(offset: position) }
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        open += 1
        objects = objects << 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
        guard depth + open <= JSONLimits.depthMaximum else {
          throw .tooDeep(limit: JSONLimits.depthMaximum, offset: position)
        }
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        guard (objects & 1 == 1) == (byte == UInt8(ascii: "}")) else {
          throw .unexpectedByte(offset: position)
        }
        objects >>= 1
        open -= 1
      case UInt8(ascii: "\""):
        try skipString()
        continue
      default: break
      }
      position += 1
    } while open > 0
    return start
  }

  /// Refuses anything but white space before the end.
  package mutating func expectEnd() throws(JSONError) {
    skipSpace()
    guard position == bytes.count else { throw .unexpectedByte(offset: position) }
  }

  // MARK: Within the module

  /// Passes white space; the byte that follows, which is not consumed.
  @inline(__always)
  mutating func nextByte() throws(JSONError) -> UInt8 {
    skipSpace()
    guard position < bytes.count else { throw endError }
    return bytes[position]
  }

  private var endError: JSONError {
    depth == 0 && position == bytes.count && isBlank ? .empty : .unexpectedEnd(offset: position)
  }

  @inline(__always)
  mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  mutating func readWord(_ word: StaticString) throws(JSONError) {
    let text = word.description.utf8
    for (index, byte) in text.enumerated() {
      guard position + index < bytes.count else { throw .unexpectedEnd(offset: bytes.count) }
      guard bytes[position + index] == byte else {
        throw .unexpectedByte(offset: position + index)
      }
    }
    position += text.count
  }

  private var isBlank: Bool {
    bytes.allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
  }

  private mutating func open(_ byte: UInt8, _ expected: JSONKind) throws(JSONError) {
    let actual = try kind()
    guard actual == expected else {
      throw .wrongKind(expected: expected, actual: actual, offset: position)
    }
    depth += 1
    guard depth <= JSONLimits.depthMaximum else {
      throw .tooDeep(limit: JSONLimits.depthMaximum, offset: position)
    }
    position += 1
    isFirst = true
    objects &= ~(1 << UInt64(depth))
    if expected == .object { objects |= 1 << UInt64(depth) }
  }

  /// Passes the comma before the next element, or the closing byte: true when an element comes.
  private mutating func advance(closing: UInt8) throws(JSONError) -> Bool {
    let byte = try nextByte()
    if byte == closing {
      position += 1
      depth -= 1
      isFirst = false
      return false
    }
    if isFirst {
      isFirst = false
      return true
    }
    guard byte == UInt8(ascii: ",") else { throw .unexpectedByte(offset: position) }
    position += 1
    return true
  }

  /// Leaves the containers of `skipValue` that end here, up to where the next value begins.
  private mutating func closeFinished(_ open: inout Int) throws(JSONError) {
    while open > 0 {
      let isObject = objects >> UInt64(depth) & 1 == 1
      if isObject {
        if try nextKey() != nil { return }
      } else if try nextElement() {
        return
      }
      open -= 1
    }
  }
}
