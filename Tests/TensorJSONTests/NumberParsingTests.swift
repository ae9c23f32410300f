import Glibc
import Tensors
import TensorJSON
import TestSupport
import Testing

@Suite("Numbers in JSON")
struct NumberParsingTests {
  @Test("every decimal gives the float and the double nearest to it", arguments: [1, 2, 3, 4])
  func matchesTheSystem(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<40_000 {
      let text = randomDecimal(&random)
      try check(text)
    }
  }

  @Test("floats written as doubles read back as themselves")
  func widenedFloats() throws {
    var random = SplitMix64(seed: 5)
    for _ in 0..<20_000 {
      let value = Float.random(in: -10...10, using: &random)
      try check(Double(value).description)
      try check("\(value)")
    }
  }

  @Test(
    "cases next to a rounding boundary",
    arguments: [
      "16777217", "16777217.0", "16777219", "16777217.0000000000000000000001", "9007199254740993",
      "9007199254740993.0", "9007199254740992.99999999999999999", "0.1", "1e23", "8.5e-46",
      "7.006492321624085e-46", "7.006492321624086e-46", "1.17549429e-38", "1.1754943e-38",
      "3.4028235e38", "3.4028235677973365e38", "2.2250738585072011e-308", "4.9e-324", "2.4e-324",
      "1.7976931348623157e308", "0", "-0", "-0.0", "0e5", "1e-400", "18446744073709551615",
      "18446744073709551616", "123456789012345678901234567890", "1E5", "1e+5", "1e-5",
      "5e-27", "5e27", "18446744073709551615e-27", "18446744073709551615e22",
    ])
  func boundaries(text: String) throws { try check(text) }

  @Test(
    "numbers too large for the type are refused",
    arguments: [
      ("3.4028236e38", DataType.float32), ("1e40", .float32), ("-1e40", .float32),
      ("1e309", .float64), ("128", .int8), ("-129", .int8), ("256", .uint8), ("-1", .uint8),
      ("32768", .int16), ("2147483648", .int32), ("9223372036854775808", .int64),
      ("-9223372036854775809", .int64), ("18446744073709551616", .uint64), ("NaN", .int32),
    ])
  func outOfRange(text: String, type: DataType) {
    #expect(throws: JSONError.outOfRange(expected: type, offset: 0)) { try decode(text, type) }
  }

  @Test("the extremes of every integer type fit")
  func extremes() throws {
    #expect(try decode("[-128,127]", .int8) == [0x80, 0x7F])
    #expect(try decode("[0,255]", .uint8) == [0, 255])
    #expect(try decode("[-32768,65535]", .int32).count == 8)
    #expect(try decode("9223372036854775807", .int64) == [255, 255, 255, 255, 255, 255, 255, 127])
    #expect(try decode("-9223372036854775808", .int64) == [0, 0, 0, 0, 0, 0, 0, 128])
    #expect(try decode("18446744073709551615", .uint64) == [UInt8](repeating: 255, count: 8))
  }

  @Test("integer types take integers alone", arguments: ["1.0", "1e0", "0.5"])
  func notIntegers(text: String) {
    #expect(throws: JSONError.notInteger(expected: .int32, offset: 0)) { try decode(text, .int32) }
  }

  @Test(
    "what is no number in JSON is refused",
    arguments: ["01", "1.", ".5", "+1", "1e", "1e+", "-", "0x10", "Nan", "-NaN", "Inf", "--1", "1.e5"])
  func malformed(text: String) {
    #expect(throws: JSONError.self) { try decode("[" + text + "]", .float32) }
  }

  /// Compares both decoders with the system's `strtof` and `strtod`.
  private func check(_ text: String) throws {
    let double = unsafe strtod(text, nil)
    let float = unsafe strtof(text, nil)
    if double.isFinite {
      let bytes = try decode(text, .float64)
      if bytes != littleEndian(double.bitPattern) { Issue.record("\(text) as a double") }
    }
    if float.isFinite {
      let bytes = try decode(text, .float32)
      if bytes != littleEndian(float.bitPattern) { Issue.record("\(text) as a float") }
    }
  }

  private func randomDecimal(_ random: inout SplitMix64) -> String {
    var text = Bool.random(using: &random) ? "-" : ""
    let digits = Int.random(in: 1...21, using: &random)
    let point = Int.random(in: 0...digits, using: &random)
    text += String(Int.random(in: 1...9, using: &random))
    for index in 1..<(digits + 1) {
      if index == point { text += "." }
      text += String(Int.random(in: 0...9, using: &random))
    }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: break
    case 1: text += "e\(Int.random(in: -12...12, using: &random))"
    case 2: text += "e\(Int.random(in: -50...40, using: &random))"
    default: text += "E\(Int.random(in: -330...320, using: &random))"
    }
    return text
  }
}

func littleEndian<Element: FixedWidthInteger>(_ value: Element) -> [UInt8] {
  (0..<MemoryLayout<Element>.size).map { UInt8(truncatingIfNeeded: value >> Element(8 * $0)) }
}

/// The bytes that `text` decodes to.
@discardableResult
func decode(_ text: String, _ type: DataType) throws -> [UInt8] {
  try decodeTensor(text, type).bytes
}

/// Shape and bytes of the one value of `text`.
func decodeTensor(
  _ text: String, _ type: DataType, limit: Int = 1 << 20
) throws -> (rowShape: Shape, bytes: [UInt8]) {
  var reader = JSONReader(Array(text.utf8))
  var decoder = try TensorDecoder(type, expectedCount: 4, countMaximum: limit)
  try decoder.append(from: &reader)
  try reader.expectEnd()
  return decoder.finish()
}
