import JSONDocuments
import TestSupport
import Testing

/// A document with every form of field.
private struct Sample: Codable, Equatable {
  struct Part: Codable, Equatable {
    var name: String
    var weights: [Double]
  }
  enum Kind: String, Codable { case small, large }
  var kind: Kind
  var count: Int
  var largest: UInt64
  var ratio: Float
  var enabled: Bool
  var absent: String?
  var parts: [Part]
  var byName: [String: Int]
}

@Suite("JSON documents")
struct JSONDocumentTests {
  private let sample = Sample(
    kind: .large, count: -3, largest: .max, ratio: 0.1, enabled: true, absent: nil,
    parts: [.init(name: "a/\"b\"\n\u{1}é𝄞", weights: [1, 0.5, -0.0, 1e300])], byName: ["x": 1])

  @Test("what is written is read back")
  func roundTrip() throws {
    let text = try JSONDocument.encode(sample)
    #expect(try JSONDocument.decode(Sample.self, from: text) == sample)
  }

  @Test("keys are sorted, absent values left out, whole numbers without a fraction")
  func form() throws {
    let part = Sample.Part(name: "a/\"\n\u{1}", weights: [1, 0.5])
    #expect(
      String(decoding: try JSONDocument.encode(part), as: UTF8.self)
        == #"{"name":"a/\"\n\u0001","weights":[1,0.5]}"#)
    #expect(String(decoding: try JSONDocument.encode(sample), as: UTF8.self).contains("absent") == false)
  }

  @Test("JSON5's comments, quotes, bare keys, commas and numbers are read")
  func json5() throws {
    let text = """
      // of a person
      {name: 'it\\'s', /* of
      it */ weights: [.5, 5., +1, 0x10, -1e-1, 2E+3,],}
      """
    #expect(
      try JSONDocument.decode(Sample.Part.self, from: Array(text.utf8))
        == Sample.Part(name: "it's", weights: [0.5, 5, 1, 16, -0.1, 2000]))
  }

  @Test(
    "malformed text is refused with its place",
    arguments: [
      ("", JSONSyntaxError(.value, line: 1, column: 1)),
      ("[1,\n 2", .init(.separator, line: 2, column: 3)),
      ("{a 1}", .init(.colon, line: 1, column: 4)),
      ("{1: 2}", .init(.key, line: 1, column: 2)),
      ("{a: 1, 'a': 2}", .init(.duplicate, line: 1, column: 8)),
      ("'ab", .init(.unfinishedString, line: 1, column: 1)),
      ("/* ", .init(.unfinishedComment, line: 1, column: 1)),
      (#""\ud834x""#, .init(.escape, line: 1, column: 2)),
      ("01", .init(.number, line: 1, column: 1)),
      ("1e999", .init(.number, line: 1, column: 1)),
      ("-", .init(.number, line: 1, column: 1)),
      ("1 2", .init(.end, line: 1, column: 3)),
      ("nan", .init(.value, line: 1, column: 1)),
    ])
  func malformed(_ text: String, _ error: JSONSyntaxError) {
    #expect(throws: error) { try JSONDocument.decode([Int].self, from: Array(text.utf8)) }
  }

  @Test("bytes that are not UTF-8 are refused")
  func encoding() {
    #expect(throws: JSONSyntaxError(.encoding, line: 1, column: 1)) {
      try JSONDocument.decode(String.self, from: [0x22, 0xFF, 0x22])
    }
  }

  @Test("nesting is read to its bound and refused beyond it")
  func depth() throws {
    func text(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    struct Ignored: Decodable { init(from _: any Decoder) {} }
    _ = try JSONDocument.decode(Ignored.self, from: text(JSONDocument.depthMaximum))
    #expect(throws: JSONSyntaxError.self) {
      try JSONDocument.decode(Ignored.self, from: text(JSONDocument.depthMaximum + 1))
    }
  }

  @Test("integers are exact or refused", arguments: ["128", "-129", "1.5", "9e99", "'1'", "null"])
  func integers(_ text: String) throws {
    #expect(throws: DecodingError.self) {
      try JSONDocument.decode(Int8.self, from: Array(text.utf8))
    }
    #expect(try JSONDocument.decode(Int8.self, from: Array("-128".utf8)) == -128)
    #expect(try JSONDocument.decode(Int8.self, from: Array("12e0".utf8)) == 12)
  }

  @Test("an error names the path to the value")
  func path() throws {
    let text = Array(#"[{"name":"a","weights":[1,true]}]"#.utf8)
    let error = #expect(throws: DecodingError.self) {
      try JSONDocument.decode([Sample.Part].self, from: text)
    }
    guard case .typeMismatch(_, let context)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(context.codingPath.map(\.stringValue) == ["0", "weights", "1"])
  }

  @Test("a number that is not finite has no JSON form")
  func infinity() {
    #expect(throws: EncodingError.self) { try JSONDocument.encode([Double.infinity]) }
  }

  @Test("every truncation and 20000 mutations are read or refused, and what is read is written back")
  func fuzz() throws {
    let text = try JSONDocument.encode(sample)
    for count in text.indices {
      #expect(throws: (any Error).self) {
        try JSONDocument.decode(Sample.self, from: Array(text[..<count]))
      }
    }
    var random = SplitMix64(seed: 5)
    for _ in 0..<20_000 {
      var mutated = text
      for _ in 0...Int.random(in: 0...2, using: &random) {
        mutated[Int.random(in: mutated.indices, using: &random)] = .random(in: 0...255, using: &random)
      }
      guard let value = try? JSONDocument.decode(Sample.self, from: mutated) else { continue }
      #expect(try JSONDocument.decode(Sample.self, from: JSONDocument.encode(value)) == value)
    }
  }
}
