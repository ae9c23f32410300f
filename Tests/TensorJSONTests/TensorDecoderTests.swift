import Tensors
import TensorJSON
import TestSupport
import Testing

@Suite("Tensors in JSON")
struct TensorDecoderTests {
  @Test(
    "lists give the shape",
    arguments: [
      ("5", []), ("[5]", [1]), ("[1,2,3]", [3]), ("[[1,2],[3,4],[5,6]]", [3, 2]),
      (" [ [ [ 1 ] , [ 2 ] ] ] ", [1, 2, 1]), ("[]", [0]), ("[[],[]]", [2, 0]),
      ("[[[[[[[[7]]]]]]]]", [1, 1, 1, 1, 1, 1, 1, 1]),
    ])
  func shapes(text: String, extents: [Int]) throws {
    let decoded = try decodeTensor(text, .int32)
    #expect(decoded.rowShape == Shape(extents))
    #expect(decoded.bytes.count == 4 * extents.reduce(1, *))
  }

  @Test(
    "lists of unequal length are refused where they end",
    arguments: [
      ("[[1,2],[3]]", JSONError.ragged(level: 1, expected: 2, actual: 1, offset: 9)),
      ("[[],[1]]", .ragged(level: 1, expected: 0, actual: 1, offset: 6)),
      ("[[1],[]]", .ragged(level: 1, expected: 1, actual: 0, offset: 6)),
      ("[1,[2]]", .wrongLevel(expected: 1, actual: 2, offset: 3)),
      ("[[1],2]", .wrongLevel(expected: 2, actual: 1, offset: 5)),
      ("[[1],[[2]]]", .wrongLevel(expected: 2, actual: 3, offset: 6)),
      ("[[[[[[[[[7]]]]]]]]]", .tooDeep(limit: 8, offset: 8)),
    ])
  func ragged(text: String, error: JSONError) {
    #expect(throws: error) { try decode(text, .int32) }
  }

  @Test(
    "lists of one number each, as the last axis of one element gives them",
    arguments: [
      ("[[1],[2],[-3]]", [3, 1]), ("[ [1], [2] ,[3],\n[4] , [ 5 ] ]", [5, 1]),
      ("[[[1],[2]],[[3],[4]]]", [2, 2, 1]), ("[[[[1]],[[2]]],[[[3]],[[4]]]]", [2, 2, 1, 1]),
    ])
  func singles(text: String, extents: [Int]) throws {
    let decoded = try decodeTensor(text, .int8)
    #expect(decoded.rowShape == Shape(extents))
    let values = text.split { !$0.isNumber && $0 != "-" }.compactMap { Int8($0) }
    #expect(decoded.bytes == values.map { UInt8(bitPattern: $0) })
  }

  @Test(
    "what is wrong among such lists is refused where it is",
    arguments: [
      ("[[1],[2],[3,4]]", JSONError.ragged(level: 1, expected: 1, actual: 2, offset: 13)),
      ("[[1],[2],[]]", .ragged(level: 1, expected: 1, actual: 0, offset: 10)),
      ("[[1],[2],3]", .wrongLevel(expected: 2, actual: 1, offset: 9)),
      ("[[1],[2],[[3]]]", .wrongLevel(expected: 2, actual: 3, offset: 10)),
      ("[[1],[2],[true]]", .wrongElement(expected: .int8, actual: .bool, offset: 10)),
      ("[[1],[2],[300]]", .outOfRange(expected: .int8, offset: 10)),
      ("[[1],[2],[01]]", .invalidNumber(offset: 10)), ("[[1],[2],[3", .unexpectedEnd(offset: 11)),
      ("[[1],[2]", .unexpectedEnd(offset: 8)), ("[[1],[2],", .unexpectedEnd(offset: 9)),
      ("[[1],[2] [3]]", .unexpectedByte(offset: 9)),
      ("[[[1],[2]],[[3],[4],[5]]]", .ragged(level: 1, expected: 2, actual: 3, offset: 23)),
    ])
  func wrongSingles(text: String, error: JSONError) {
    #expect(throws: error) { try decode(text, .int8) }
  }

  @Test(
    "broken grammar is refused at its offset",
    arguments: [
      ("", JSONError.empty), ("  \n", .empty), ("[", .unexpectedEnd(offset: 1)),
      ("[1", .unexpectedEnd(offset: 2)), ("[1,", .unexpectedEnd(offset: 3)),
      ("[1 2]", .unexpectedByte(offset: 3)), ("[,1]", .unexpectedByte(offset: 1)),
      ("[1,]", .unexpectedByte(offset: 3)), ("[1]]", .unexpectedByte(offset: 3)),
      ("[1,,2]", .unexpectedByte(offset: 3)), ("1 1", .unexpectedByte(offset: 2)),
      ("[nul]", .wrongElement(expected: .int32, actual: .null, offset: 1)),
      ("[\"a\"]", .wrongElement(expected: .int32, actual: .string, offset: 1)),
      ("[true]", .wrongElement(expected: .int32, actual: .bool, offset: 1)),
      ("[{}]", .wrongElement(expected: .int32, actual: .object, offset: 1)),
    ])
  func grammar(text: String, error: JSONError) {
    #expect(throws: error) { try decode(text, .int32) }
  }

  @Test("truth values are the words alone")
  func booleans() throws {
    #expect(try decode("[true,false,true]", .bool) == [1, 0, 1])
    #expect(throws: JSONError.wrongElement(expected: .bool, actual: .number, offset: 1)) {
      try decode("[1]", .bool)
    }
    #expect(throws: JSONError.unexpectedByte(offset: 3)) { try decode("[trve]", .bool) }
  }

  @Test("words stand for numbers that are none")
  func words() throws {
    let bytes = try decode("[NaN, Infinity, -Infinity]", .float32)
    #expect(Array(bytes[4...]) == littleEndian(Float.infinity.bitPattern) + littleEndian((-Float.infinity).bitPattern))
    #expect(Float(bitPattern: UInt32(bytes[3]) << 24 | UInt32(bytes[2]) << 16).isNaN)
  }

  @Test("elements beyond the limit are refused")
  func elementLimit() {
    #expect(throws: JSONError.tooManyElements(limit: 2, offset: 5)) {
      try decodeTensor("[1,2,3]", .int8, limit: 2)
    }
  }

  @Test("rows share one shape")
  func rows() throws {
    var reader = JSONReader(Array("[[1,2],[3,4],[5]]".utf8))
    var decoder = try TensorDecoder(.uint8, expectedCount: 0, countMaximum: 100)
    try reader.openArray()
    #expect(try reader.nextElement())
    try decoder.append(from: &reader)
    #expect(try reader.nextElement())
    try decoder.append(from: &reader)
    #expect(decoder.rowCount == 2)
    #expect(try reader.nextElement())
    #expect(throws: JSONError.ragged(level: 0, expected: 2, actual: 1, offset: 15)) {
      try decoder.append(from: &reader)
    }
  }

  @Test("strings are text, or bytes in base64", arguments: [
    ("[\"a\", \"\\u00e9\"]", ["a", "é"]), ("{\"b64\": \"aGk=\"}", ["hi"]),
    ("[{\"b64\": \"aGk\"}, {\"b64\": \"\"}]", ["hi", ""]), ("[{\"b64\": \"Pz8\\/\"}]", ["???"]),
    ("[{\"b64\": \"Pz8_\"}]", ["???"]),
  ])
  func strings(document: String, expected: [String]) throws {
    var reader = JSONReader(Array(document.utf8))
    var decoder = try TensorDecoder(.string, expectedCount: 0, countMaximum: 10)
    try decoder.append(from: &reader)
    #expect(StringElements.strings(decoder.finish().bytes, count: expected.count) == expected)
  }

  @Test("what is no base64 is refused", arguments: [
    "[{\"b64\": \"aGk==\"}]", "[{\"b64\": \"a\"}]", "[{\"b64\": \"a b=\"}]", "[{\"b64\": 1}]",
    "[{\"b65\": \"aGk=\"}]", "[{\"b64\": \"aGk=\", \"x\": 1}]", "[1]", "[{\"b64\": \"===\"}]",
  ])
  func malformedStrings(document: String) throws {
    var reader = JSONReader(Array(document.utf8))
    #expect(throws: JSONError.self) {
      var decoder = try TensorDecoder(.string, expectedCount: 0, countMaximum: 10)
      try decoder.append(from: &reader)
    }
  }

  private static let withoutForm: [DataType] = [.float16, .int4, .complex64]

  @Test("types without a JSON form are refused", arguments: withoutForm)
  func unsupported(type: DataType) {
    #expect(throws: JSONError.unsupportedType(type)) {
      try TensorDecoder(type, expectedCount: 0, countMaximum: 1)
    }
  }

  @Test("what is written is read back, bit for bit", arguments: DataType.allCases)
  func roundTrip(type: DataType) throws {
    guard !Self.withoutForm.contains(type) else { return }
    var random = SplitMix64(seed: UInt64(type.rawValue))
    for _ in 0..<200 {
      let shape = Shape((0..<Int.random(in: 0...4, using: &random)).map { _ in
        Int.random(in: 1...5, using: &random)
      })
      let bytes = randomElements(type, count: try #require(shape.elementCount), &random)
      for layout in [TensorLayout.nested, .flat] {
        var writer = JSONWriter()
        try writer.tensor(type, shape, bytes, layout: layout)
        let text = String(decoding: writer.bytes, as: UTF8.self)
        let decoded = try decodeTensor(text, type)
        #expect(decoded.bytes == bytes, "\(text)")
        if layout == .nested { #expect(decoded.rowShape == shape) }
      }
    }
  }

  private func randomElements(
    _ type: DataType, count: Int, _ random: inout SplitMix64
  ) -> [UInt8] {
    (0..<count).flatMap { _ -> [UInt8] in
      switch type {
      case .string:
        let text = ["", "a", "\"\\\n\u{1}", "é", String(repeating: "x", count: 300)]
        return StringElements.bytes([text.randomElement(using: &random) ?? ""])
      case .bool: return [UInt8.random(in: 0...1, using: &random)]
      case .float32:
        let value = Float(bitPattern: UInt32.random(in: .min ... .max, using: &random))
        return littleEndian((value.isNaN ? Float.nan : value).bitPattern)
      case .float64:
        let value = Double(bitPattern: UInt64.random(in: .min ... .max, using: &random))
        return littleEndian((value.isNaN ? Double.nan : value).bitPattern)
      default:
        return (0..<(type.bitWidth / 8)).map { _ in UInt8.random(in: 0...255, using: &random) }
      }
    }
  }
}
