import TestSupport
import Testing
import Transport

@Suite("Binary tensor data")
struct BinaryTensorTests {
  let agent = AgentFixture.shared
  static let length = "Inference-Header-Content-Length"

  /// Sends `json` with `tail` behind it.
  private func infer(_ json: String, _ tail: [UInt8], length: Int? = nil) throws -> HTTPResponse {
    let field = (Self.length, "\(length ?? json.utf8.count)")
    return try agent.request(
      "POST", "/v2/models/half_plus_two/infer", headers: [field], Array(json.utf8) + tail)
  }

  private func header(
    size: Int, shape: String = "[2]", input: String = "", request: String = ""
  ) -> String {
    #"{"inputs":[{"name":"x","datatype":"FP32","shape":\#(shape),"parameters":{"binary_data_size":\#(size)}\#(input)}]\#(request)}"#
  }

  /// 2.0 and −1.0.
  static let two: [UInt8] = [0, 0, 0, 0x40, 0, 0, 0x80, 0xBF]
  /// 3.0 and 1.5.
  static let answer: [UInt8] = [0, 0, 0x40, 0x40, 0, 0, 0xC0, 0x3F]

  @Test("binary in, listed out")
  func binaryIn() throws {
    let response = try infer(header(size: 8), Self.two)
    #expect(response.status == 200)
    #expect(String(decoding: response.body, as: UTF8.self).contains(#""data":[3.0,1.5]"#))
  }

  @Test(
    "binary out, asked for of one output or of all",
    arguments: [
      #","outputs":[{"name":"y","parameters":{"binary_data":true}}]"#,
      #","parameters":{"binary_data_output":true}"#,
    ])
  func binaryOut(request: String) throws {
    let response = try infer(header(size: 8, request: request), Self.two)
    #expect(response.status == 200)
    let length = try #require(response.header(Self.length).flatMap { Int($0) })
    let json = String(decoding: response.body[..<length], as: UTF8.self)
    #expect(
      json
        == #"{"model_name":"half_plus_two","model_version":"123","outputs":[{"name":"y","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}}]}"#
    )
    #expect(Array(response.body[length...]) == Self.answer)
  }

  @Test("one output may decline what the request prefers")
  func declined() throws {
    let request =
      #","parameters":{"binary_data_output":true},"outputs":[{"name":"y","parameters":{"binary_data":false}}]"#
    let response = try infer(header(size: 8, request: request), Self.two)
    #expect(String(decoding: response.body, as: UTF8.self).contains(#""data":[3.0,1.5]"#))
  }

  @Test("sizes that do not fit are refused")
  func sizes() throws {
    let refusals: [(HTTPResponse, String)] = [
      (try infer(header(size: 8), [1, 2]), "expecting 6 additional bytes"),
      (try infer(header(size: 8), Self.two + [0]), "unexpected 1 additional bytes"),
      (try infer(header(size: 4), [1, 2, 3, 4]), "expecting 8 bytes, got 4"),
      (try infer(header(size: -8), []), "expecting 8 bytes, got -8"),
      (try infer(header(size: 8), Self.two, length: 100_000), "does not fit the request body"),
      (try infer(header(size: 8), Self.two, length: -1), "does not fit the request body"),
      (try infer(header(size: 8, input: #","data":[1,2]"#), Self.two), "must have either"),
    ]
    for (response, message) in refusals {
      #expect(response.status == 400)
      let text = String(decoding: response.body, as: UTF8.self)
      #expect(text.contains(message), "\(text)")
    }
  }
}
