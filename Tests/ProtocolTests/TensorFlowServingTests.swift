import Serving
import Testing
import TestSupport
import Transport

@Suite("TensorFlow Serving REST over the socket")
struct TensorFlowServingTests {
  let agent = AgentFixture.shared
  static let predict = "/v1/models/half_plus_two:predict"

  @Test(
    "row and column form",
    arguments: [
      (#"{"instances":[1.0,2.0,5.0]}"#, #"{"predictions":[2.5,3.0,4.5]}"#),
      (#"{"instances":[{"x":1},{"x":2}]}"#, #"{"predictions":[2.5,3.0]}"#),
      (#"{"inputs":[1,2]}"#, #"{"outputs":[2.5,3.0]}"#),
      (#"{"inputs":{"x":[1],"extra":[[{}]]}}"#, #"{"outputs":[2.5]}"#),
      (#"{"signature_name":"serving_default","instances":[4]}"#, #"{"predictions":[4.0]}"#),
      (#"{"instances":[4],"signature_name":"serving_default"}"#, #"{"predictions":[4.0]}"#),
      (#"{"instances":[NaN,Infinity,-Infinity]}"#, #"{"predictions":[NaN,Infinity,-Infinity]}"#),
      (#"  {"instances":[1e-1]} trailing"#, #"{"predictions":[2.05]}"#),
    ])
  func forms(body: String, expected: String) throws {
    #expect(try agent.ask("POST", Self.predict, body) == Reply(200, expected))
  }

  @Test("the answer names its version in a header")
  func versionHeader() throws {
    let response = try agent.request("POST", Self.predict, Array(#"{"instances":[1]}"#.utf8))
    #expect(response.header("X-Model-Version") == "123")
    #expect(response.header("Content-Type") == "application/json")
  }

  @Test("a version, a label and any case of the fixed words name the model")
  func addresses() throws {
    let other = try AgentFixture()
    try other.load("m n", 7, Fixtures.halfPlusTwoModel)
    try other.manager.setLabel("stable", of: "m n", to: 7)
    for path in [
      "/v1/models/m%20n:predict", "/V1/MODELS/m%20n:PREDICT", "/v1/models/m%20n/versions/7:predict",
      "/v1/models/m%20n/labels/stable:predict", "/v1/Models/m%20n/Labels/stable:Predict",
    ] {
      let reply = try other.ask("POST", path, #"{"instances":[1]}"#)
      #expect(reply == Reply(200, #"{"predictions":[2.5]}"#), "\(path)")
    }
    let status = try other.ask("GET", "/v1/models/m%20n/labels/stable")
    #expect(status.body.contains(#""version":"7","state":"AVAILABLE""#))
    #expect(
      try other.ask("POST", "/v1/models/m%20n/labels/canary:predict", "{}")
        == Reply(400, #"{"error":"Unrecognized servable version label: canary"}"#))
  }

  @Test(
    "messages that clients look for",
    arguments: [
      (
        "POST", "nope:predict", #"{"instances":[1]}"#, 404,
        "Servable not found for request: Latest(nope)"
      ),
      (
        "POST", "digits/versions/9:predict", "{}", 404,
        "Servable not found for request: Specific(digits, 9)"
      ),
      (
        "POST", "absent:predict", "{}", 503, "Servable not found for request: Latest(absent)"
      ),
      ("GET", "nope", "", 404, "Could not find any versions of model nope"),
      ("GET", "absent", "", 404, "Could not find any versions of model absent"),
      ("GET", "digits/versions/9", "", 404, "Could not find version 9 of model digits"),
      ("GET", "digits/labels/l", "", 400, "Unrecognized servable version label: l"),
      (
        "POST", "half_plus_two:predict", #"{"signature_name":"x","instances":[1]}"#, 400,
        #"Serving signature name: \"x\" not found in signature def"#
      ),
      ("POST", "half_plus_two:predict", "{}", 400, "Missing 'inputs' or 'instances' key"),
      ("POST", "half_plus_two:predict", "", 400, "JSON Parse error: The document is empty"),
      (
        "POST", "half_plus_two:predict", #"{"instances":[1}"#, 400,
        "JSON Parse error: Invalid value. at offset: 15"
      ),
      ("GET", "nope/metadata", "", 404, "Servable not found for request: Latest(nope)"),
    ])
  func fixtures(method: String, path: String, body: String, status: Int, message: String) throws {
    let reply = try agent.ask(method, "/v1/models/\(path)", body)
    #expect(reply == Reply(status, #"{"error":"\#(message)"}"#))
  }

  @Test(
    "what is wrong with a predict request is said in its answer",
    arguments: [
      (#"{"instances":[1],"inputs":[1]}"#, 400, "only one of 'inputs' or 'instances'"),
      (#"{"instances":[]}"#, 400, "No values in 'instances' array"),
      (#"{"instances":7}"#, 400, "'instances' to be an list/array"),
      (#"{"signature_name":7,"instances":[1]}"#, 400, "'signature_name' key must be a string value"),
      ("[1]", 400, "Is not object"), (#"{"instances":["a"]}"#, 400, "is not of expected type: float"),
      (#"{"instances":[{"b64":"AAAA"}]}"#, 400, "is not of expected type: float"),
      (#"{"inputs":{"b64":"AAAA"}}"#, 400, "is not of expected type: float"),
      (#"{"instances":[{"z":1}]}"#, 400, "does not have named input: z"),
      (#"{"instances":[{}]}"#, 400, "keys must be equal to: x"),
      (#"{"instances":[{"x":1,"x":2}]}"#, 400, "keys must be equal to: x"),
      (#"{"instances":[{"x":1},2]}"#, 400, "Expecting object but got list at item 1"),
      (#"{"instances":[1,{"x":1}]}"#, 400, "Expecting value/list but got object at item 1"),
      (#"{"inputs":{"z":[1]}}"#, 400, "Missing named input: x in 'inputs' object."),
      (#"{"instances":[[1,2],[3]]}"#, 400, "Encountered list at unexpected size: 1"),
      (#"{"instances":[[1,2],[3,4]]}"#, 400, "Expecting shape"),
      (#"{"instances":[1e39]}"#, 400, "without loss of precision"),
      (#"{"instances":[true]}"#, 400, "Type: Bool is not of expected type: float"),
      (#"{"instances":[null]}"#, 400, "Type: Null is not of expected type: float"),
    ])
  func refusals(body: String, status: Int, message: String) throws {
    let reply = try agent.ask("POST", Self.predict, body)
    #expect(reply.status == status)
    #expect(reply.body.contains(message), "\(reply)")
  }

  @Test(
    "paths that are none are malformed",
    arguments: [
      ("GET", "/v1/models/digits:predict"), ("POST", "/v1/models/digits"), ("GET", "/v1/"),
      ("GET", "/v1/models"), ("POST", "/v1/models/digits/versions/x:predict"),
      ("GET", "/v1/models/digits/versions/99999999999999999999"), ("DELETE", "/v1/models/digits"),
      ("POST", "/v1/models/digits:explain"), ("GET", "/v1/models/digits/nope"),
      ("POST", "/v1/models/:predict"), ("POST", "/v1/models/a:b:predict"),
      ("GET", "/v1/models/%ff"),
    ])
  func malformed(method: String, path: String) throws {
    #expect(
      try agent.ask(method, path)
        == Reply(400, #"{"error":"Malformed request: \#(method) \#(path)"}"#))
  }

  @Test("classify and regress are refused for a model whose outputs they do not fit")
  func wrongCalls() throws {
    for (model, call) in [("half_plus_two", "classify"), ("digits", "regress")] {
      let reply = try agent.ask("POST", "/v1/models/\(model):\(call)", "{}")
      #expect(reply.status == 400)
      #expect(reply.body.contains("tensorflow/serving/\(call). Was: tensorflow/serving/predict"))
    }
  }

  @Test("regress gives a value for each example, its features from the context where it has none")
  func regress() throws {
    for (body, results) in [
      (#"{"examples":[{"x":1},{"x":[2],"more":"text"}]}"#, "2.5,3.0"),
      (#"{"context":{"x":4,"y":{}},"examples":[{},{"x":0}]}"#, "4.0,2.0"),
      (#"{"signature_name":"serving_default","examples":[{"x":[[-4]]}]}"#, "0.0"),
    ] {
      let reply = try agent.ask("POST", "/v1/models/half_plus_two/versions/123:regress", body)
      #expect(reply == Reply(200, #"{"results":[\#(results)]}"#))
    }
  }

  @Test("classify gives the classes of each example in the model's order")
  func classify() throws {
    let pixels = [String](repeating: "-128", count: 64).joined(separator: ",")
    let predicted = try agent.ask(
      "POST", "/v1/models/digits:predict", #"{"inputs":[[[[-128]\#(rest(7))]\#(rows(7))]]}"#)
    let reply = try agent.ask(
      "POST", "/v1/models/digits:classify", #"{"examples":[{"image":[\#(pixels)]}]}"#)
    #expect(reply.status == 200)
    let scores = predicted.body.split(separator: "[").last?.prefix { $0 != "]" } ?? ""
    let expected = scores.split(separator: ",").enumerated().map { "[\"\($0)\",\($1).0]" }
    #expect(expected.count == 10)
    #expect(reply.body == "{\"results\":[[\(expected.joined(separator: ","))]]}")
  }

  @Test("a context may not fill more examples than the body has room for")
  func contextTooLarge() throws {
    let pixels = [String](repeating: "1", count: 64).joined(separator: ",")
    let examples = [String](repeating: "{}", count: 100).joined(separator: ",")
    let reply = try agent.ask(
      "POST", "/v1/models/digits:classify",
      #"{"context":{"image":[\#(pixels)]},"examples":[\#(examples)]}"#)
    #expect(reply.status == 400)
    #expect(reply.body.contains("the examples that 'context' fills take more than"))
  }

  private func rest(_ count: Int) -> String { String(repeating: ",[-128]", count: count) }

  private func rows(_ count: Int) -> String {
    String(repeating: ",[[-128]\(rest(7))]", count: count)
  }

  @Test(
    "wrong examples are refused",
    arguments: [
      ("{}", "Missing 'examples' key"), (#"{"examples":{}}"#, "'examples' must be a list"),
      (#"{"examples":[]}"#, "No values in 'examples' array"),
      (#"{"examples":[1]}"#, "Expecting object but got Number at item 0 of 'examples' list"),
      (#"{"examples":[{"x":1},{}]}"#, "Example 1 lacks the feature: x"),
      (#"{"examples":[{"x":1,"x":2}]}"#, "Example 0 has the feature x twice"),
      (#"{"examples":[{"x":[1,2]}]}"#, "Feature x: Expecting 1 values but got: 2"),
      (#"{"examples":[{"x":{"b64":"AAAA"}}]}"#, "is not of expected type: float"),
      (#"{"examples":[{"x":1}],"context":[]}"#, "'context' must be an object"),
      (#"{"examples":[{"x":1}],"signature_name":"s"}"#, "not found in signature def"),
      ("[]", "Is not object"),
    ])
  func wrongExamples(body: String, message: String) throws {
    let reply = try agent.ask("POST", "/v1/models/half_plus_two:regress", body)
    #expect(reply.status == 400)
    #expect(reply.body.contains(message), "\(reply)")
  }

  @Test("a compressed body is read as what it holds")
  func compressed() throws {
    let body = Gzipped.stored(Array(#"{"instances":[1.0,2.0]}"#.utf8))
    let response = try agent.request(
      "POST", Self.predict, headers: [("Content-Encoding", "gzip")], body)
    #expect(response.status == 200)
    #expect(String(decoding: response.body, as: UTF8.self) == #"{"predictions":[2.5,3.0]}"#)
  }

  @Test("status lists the versions with their states")
  func status() throws {
    let available =
      #"{"model_version_status":[{"version":"2","state":"AVAILABLE","status":{"error_code":"OK","error_message":""}}]}"#
    for path in ["digits", "digits/versions/2"] {
      #expect(try agent.ask("GET", "/v1/models/\(path)") == Reply(200, available))
    }
  }

  @Test("a version that failed to load ends with its error, the last good one stays")
  func failedLoad() throws {
    let other = try AgentFixture()
    try other.load("m", 1, Fixtures.halfPlusTwoModel)
    #expect(throws: AgentFixture.LoadFailed.self) { try other.load("m", 2, Fixtures.digitsLabels) }
    let reply = try other.ask("GET", "/v1/models/m")
    #expect(reply.status == 200)
    #expect(
      reply.body.contains(#""version":"2","state":"END","status":{"error_code":"INVALID_ARGUMENT""#))
    #expect(reply.body.contains(#""version":"1","state":"AVAILABLE","status":{"error_code":"OK""#))
    #expect(try other.ask("POST", "/v1/models/m:predict", #"{"instances":[1]}"#).status == 200)
  }

  @Test("metadata name the tensors of each signature")
  func metadata() throws {
    let reply = try agent.ask("GET", "/v1/models/digits/metadata")
    #expect(reply.status == 200)
    #expect(
      reply.body.hasPrefix(
        #"{"model_spec":{"name":"digits","signature_name":"","version":"2"},"metadata":{"signature_def":{"signature_def":{"serving_default":{"inputs":{"image":{"dtype":"DT_INT8","tensor_shape":{"dim":[{"size":"-1","name":""},{"size":"8","name":""},{"size":"8","name":""},{"size":"1","name":""}],"unknown_rank":false},"name":"image"}},"outputs":{"probabilities":{"#
      ), "\(reply)")
    #expect(reply.body.hasSuffix(#""method_name":"tensorflow/serving/predict","defaults":{}}}}}}"#))
  }

  @Test("quantised pictures take integers alone")
  func quantised() throws {
    let vector = try #require(Fixtures.goldenVectors(beside: Fixtures.digitsModel(2)).first).input
    let rows = stride(from: 0, to: 64, by: 8).map { row in
      "[" + vector.int8[row..<(row + 8)].map { "[\($0)]" }.joined(separator: ",") + "]"
    }
    let picture = "[" + rows.joined(separator: ",") + "]"
    let reply = try agent.ask(
      "POST", "/v1/models/digits:predict", #"{"instances":[\#(picture),\#(picture)]}"#)
    #expect(reply.status == 200)
    #expect(reply.body.occurrences(of: ",") == 19)
    let broken = picture.replacing("[[[", with: "[[[0.5,", maxReplacements: 1)
    let refused = try agent.ask(
      "POST", "/v1/models/digits:predict", #"{"instances":[\#(broken)]}"#)
    #expect(refused.body.contains("is not of expected type: int8"), "\(refused)")
  }
}
