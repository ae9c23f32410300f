/// Builds one JSON document; the caller places commas and brackets.
package struct JSONWriter: Sendable {
  package private(set) var bytes: [UInt8]

  package init(capacity: Int = 256) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Punctuation and fixed keys, as they stand.
  package mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: text.description.utf8)
  }

  package mutating func byte(_ byte: UInt8) { bytes.append(byte) }

  /// A string with its quotation marks; what JSON forbids is escaped.
  package mutating func string(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0A: raw("\\n")
      case 0x0D: raw("\\r")
      case 0x09: raw("\\t")
      case 0..<0x20:
        raw("\\u00")
        bytes.append(Self.hexDigits[Int(byte >> 4)])
        bytes.append(Self.hexDigits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  package mutating func bool(_ value: Bool) {
    if value { raw("true") } else { raw("false") }
  }

  package mutating func integer(_ value: Int) { integer(Int64(value)) }

  package mutating func integer(_ value: Int64) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    integer(value.magnitude)
  }

  package mutating func integer(_ value: UInt64) {
    let start = bytes.count
    var rest = value
    repeat {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
      rest = quotient
    } while rest != 0
    bytes[start...].reverse()
  }

  /// The shortest digits that read back as `value`; whole numbers keep a `.0`.
  package mutating func float(_ value: Float) {
    if whole(Double(value), limit: 0x1p24) { return }
    if word(isNaN: value.isNaN, isInfinite: value.isInfinite, isNegative: value < 0) { return }
    bytes.append(contentsOf: value.description.utf8)
  }

  /// The shortest digits that read back as `value`; whole numbers keep a `.0`.
  package mutating func double(_ value: Double) {
    if whole(value, limit: 0x1p53) { return }
    if word(isNaN: value.isNaN, isInfinite: value.isInfinite, isNegative: value < 0) { return }
    bytes.append(contentsOf: value.description.utf8)
  }

  /// Writes a whole number below `limit`, whose digits are all exact; false for any other.
  private mutating func whole(_ value: Double, limit: Double) -> Bool {
    guard value.magnitude < limit, value.rounded(.towardZero) == value else { return false }
    if value.sign == .minus { bytes.append(UInt8(ascii: "-")) }
    integer(UInt64(value.magnitude))
    raw(".0")
    return true
  }

  private mutating func word(isNaN: Bool, isInfinite: Bool, isNegative: Bool) -> Bool {
    if isNaN {
      raw("NaN")
    } else if isInfinite {
      if isNegative { raw("-Infinity") } else { raw("Infinity") }
    } else {
      return false
    }
    return true
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)
}
