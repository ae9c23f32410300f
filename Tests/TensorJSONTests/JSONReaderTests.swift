import TensorJSON
import Testing

@Suite("JSON documents")
struct JSONReaderTests {
  @Test("members come in order with their values")
  func members() throws {
    var reader = JSONReader(Array(#" { "a" : 1 , "b" : [ true , null ] , "c" : { } , "d":"x" } "#.utf8))
    try reader.openObject()
    #expect(try reader.nextKey() == "a")
    #expect(try reader.readInteger() == 1)
    #expect(try reader.nextKey() == "b")
    try reader.skipValue()
    #expect(try reader.nextKey() == "c")
    try reader.openObject()
    #expect(try reader.nextKey() == nil)
    #expect(try reader.nextKey() == "d")
    #expect(try reader.readString() == "x")
    #expect(try reader.nextKey() == nil)
    try reader.expectEnd()
  }

  @Test(
    "escapes are decoded",
    arguments: [
      (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"),
      (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\ud83d\ude00""#, "😀"), ("\"é€😀\"", "é€😀"),
      ("\"\"", ""),
    ])
  func escapes(text: String, expected: String) throws {
    var reader = JSONReader(Array(text.utf8))
    #expect(try reader.readString() == expected)
    try reader.expectEnd()
  }

  @Test(
    "broken strings are refused",
    arguments: [#""\x""#, #""\u12""#, #""\ud83d""#, #""\ude00""#, "\"a\nb\"", #""abc"#, #""\"#])
  func brokenStrings(text: String) {
    var reader = JSONReader(Array(text.utf8))
    #expect(throws: JSONError.self) { try reader.readString() }
  }

  @Test("bytes that are no UTF-8 are refused")
  func invalidUTF8() {
    var reader = JSONReader([0x22, 0xC3, 0x28, 0x22])
    #expect(throws: JSONError.invalidString(offset: 0)) { try reader.readString() }
  }

  @Test("nesting is bounded, skipped or postponed")
  func depth() {
    let deep = Array(String(repeating: "[", count: 100_000).utf8)
    var skipper = JSONReader(deep)
    #expect(throws: JSONError.tooDeep(limit: 32, offset: 32)) { try skipper.skipValue() }
    var postponer = JSONReader(deep)
    #expect(throws: JSONError.tooDeep(limit: 32, offset: 32)) { try postponer.postponeValue() }
  }

  @Test(
    "skipping accepts what JSON accepts",
    arguments: ["{}", "[]", "[[],{}]", #"{"a":{"b":[1,{"c":null}]},"d":-0.5e3}"#, "NaN", "null"])
  func skips(text: String) throws {
    var reader = JSONReader(Array(text.utf8))
    try reader.skipValue()
    try reader.expectEnd()
  }

  @Test(
    "skipping refuses what JSON refuses",
    arguments: ["[1,]", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "[}", "{]", "nul", "[1 2]", "{1:2}"])
  func refuses(text: String) {
    var reader = JSONReader(Array(text.utf8))
    #expect(throws: JSONError.self) { try reader.skipValue() }
  }

  @Test("a postponed value is read later")
  func postponed() throws {
    var reader = JSONReader(Array(#"{"a":["]",{"x":1}],"b":2}"#.utf8))
    try reader.openObject()
    #expect(try reader.nextKey() == "a")
    let start = try reader.postponeValue()
    #expect(try reader.nextKey() == "b")
    #expect(try reader.readInteger() == 2)
    var later = reader.resumed(at: start)
    try later.openArray()
    #expect(try later.nextElement())
    #expect(try later.readString() == "]")
  }
}

@Suite("JSON writing")
struct JSONWriterTests {
  @Test(
    "floats take their shortest form",
    arguments: [
      (Float(2.5), "2.5"), (3, "3.0"), (-0.0, "-0.0"), (0, "0.0"), (0.1, "0.1"), (1e20, "1e+20"),
      (16_777_216, "16777216.0"), (.nan, "NaN"), (.infinity, "Infinity"), (-.infinity, "-Infinity"),
      (1e-5, "1e-05"), (-7.25, "-7.25"),
    ])
  func floats(value: Float, text: String) {
    var writer = JSONWriter()
    writer.float(value)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
  }

  @Test("strings are escaped")
  func strings() {
    var writer = JSONWriter()
    writer.string("a\"\\\n\r\t\u{1}é")
    #expect(String(decoding: writer.bytes, as: UTF8.self) == #""a\"\\\n\r\t\u0001é""#)
  }

  @Test("integers at their extremes")
  func integers() {
    var writer = JSONWriter()
    writer.integer(Int64.min)
    writer.byte(0x20)
    writer.integer(UInt64.max)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "-9223372036854775808 18446744073709551615")
  }
}
