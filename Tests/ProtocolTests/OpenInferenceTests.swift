import Testing
import TestSupport
import Transport

@Suite("Open Inference Protocol over the socket")
struct OpenInferenceTests {
  let agent = AgentFixture.shared
  static let infer = "/v2/models/half_plus_two/infer"

  static func input(
    name: String = "x", datatype: String = "FP32", shape: String = "[1]", data: String = "[2]"
  ) -> String {
    #"{"inputs":[{"name":"\#(name)","datatype":"\#(datatype)","shape":\#(shape),"data":\#(data)}]}"#
  }

  static func output(_ data: String, shape: String, id: String = "") -> String {
    #"{"model_name":"half_plus_two","model_version":"123"\#(id),"outputs":[{"name":"y","datatype":"FP32","shape":\#(shape),"data":\#(data)}]}"#
  }

  @Test("a running server is live, and ready only when every declared model serves")
  func health() throws {
    #expect(try agent.ask("GET", "/v2/health/live") == Reply(200, #"{"live":true}"#))
    #expect(
      try agent.ask("GET", "/v2/health/ready") == Reply(503, #"{"live":true,"ready":false}"#))
    let other = try AgentFixture()
    try other.load("half_plus_two", 1, Fixtures.halfPlusTwoModel)
    #expect(try other.ask("GET", "/v2/health/ready") == Reply(200, #"{"live":true,"ready":true}"#))
    #expect(try other.ask("HEAD", "/v2/health/ready") == Reply(200, ""))
  }

  @Test("the server names itself and its extensions")
  func server() throws {
    let expected = #"{"name":"edgeserve","version":"test","extensions":["binary_tensor_data","classification","model_configuration","schedule_policy","statistics"]}"#
    #expect(try agent.ask("GET", "/v2") == Reply(200, expected))
    #expect(try agent.ask("GET", "/v2/") == Reply(200, expected))
  }

  @Test(
    "a model describes its inputs and outputs, with and without a version",
    arguments: ["/v2/models/digits", "/v2/models/digits/versions/2"])
  func metadata(path: String) throws {
    let expected =
      #"{"name":"digits","versions":["2"],"platform":"tensorflowlite_tflite","inputs":[{"name":"image","datatype":"INT8","shape":[-1,8,8,1]}],"outputs":[{"name":"probabilities","datatype":"INT8","shape":[-1,10]}]}"#
    #expect(try agent.ask("GET", path) == Reply(200, expected))
  }

  @Test(
    "a model is ready when it serves",
    arguments: [
      ("digits", Reply(200, #"{"name":"digits","ready":true}"#)),
      ("digits/versions/2", Reply(200, #"{"name":"digits","ready":true}"#)),
      ("absent", Reply(503, #"{"name":"absent","ready":false}"#)),
      ("nope", Reply(404, #"{"error":"Request for unknown model: 'nope' is not found"}"#)),
      (
        "digits/versions/9",
        Reply(404, #"{"error":"Request for unknown model: 'digits' version 9 is not found"}"#)
      ),
    ])
  func ready(model: String, reply: Reply) throws {
    #expect(try agent.ask("GET", "/v2/models/\(model)/ready") == reply)
  }

  @Test(
    "data may be flat or nested as the shape says",
    arguments: [
      ("[3]", "[1,2,5]", "[2.5,3.0,4.5]"), ("[1]", "2", ""), ("[2]", "[0.5, 1e2]", "[2.25,52.0]"),
      ("[1]", "[NaN]", "[NaN]"), ("[2]", "[Infinity,-Infinity]", "[Infinity,-Infinity]"),
    ])
  func data(shape: String, data: String, expected: String) throws {
    let reply = try agent.ask("POST", Self.infer, Self.input(shape: shape, data: data))
    if expected.isEmpty {
      #expect(reply.status == 400)
    } else {
      #expect(reply == Reply(200, Self.output(expected, shape: shape)))
    }
  }

  @Test("nested and flat data give the same answer")
  func nestedIsFlat() throws {
    let vector = try #require(Fixtures.goldenVectors(beside: Fixtures.digitsModel(2)).first).input
    let pixels = vector.int8.map { "\($0)" }
    let rows = stride(from: 0, to: 64, by: 8).map { row in
      "[" + pixels[row..<(row + 8)].map { "[\($0)]" }.joined(separator: ",") + "]"
    }
    let flat = "[" + pixels.joined(separator: ",") + "]"
    let nested = "[[" + rows.joined(separator: ",") + "]]"
    let replies = try [flat, nested].map { data in
      try agent.ask(
        "POST", "/v2/models/digits/infer",
        Self.input(name: "image", datatype: "INT8", shape: "[1,8,8,1]", data: data))
    }
    #expect(replies[0].status == 200)
    #expect(replies[0] == replies[1])
  }

  @Test("the fields of a request come in any order; unknown ones are passed over")
  func fieldOrder() throws {
    let body =
      #"{"parameters":{"timeout":3,"x":[{}]},"future":[1],"inputs":[{"data":[4],"parameters":{"a":"b"},"shape":[1],"later":null,"datatype":"FP32","name":"x"}],"id":"a\"é"}"#
    #expect(
      try agent.ask("POST", Self.infer, body)
        == Reply(200, Self.output("[4.0]", shape: "[1]", id: #","id":"a\"é""#)))
  }

  @Test("only the outputs asked for come back")
  func outputs() throws {
    let start = Self.input().dropLast()
    #expect(
      try agent.ask("POST", Self.infer, start + #","outputs":[{"name":"y"}]}"#)
        == Reply(200, Self.output("[3.0]", shape: "[1]")))
    #expect(
      try agent.ask("POST", Self.infer, start + #","outputs":[{"name":"z"}]}"#)
        == Reply(
          400, #"{"error":"unexpected inference output 'z' for model 'half_plus_two'"}"#))
  }

  @Test(
    "what is wrong with a request is said in its answer",
    arguments: [
      ("", 400, "The document is empty."), ("{", 400, "Invalid value. at 1"),
      ("[]", 400, "expected a JSON object at 0, got array"),
      (Self.input() + "x", 400, "Invalid value."),
      (#"{"inputs":[]}"#, 400, "the request has no inputs"), ("{}", 400, "the request has no inputs"),
      (#"{"inputs":[{}]}"#, 400, "missing 'name' at index 0"),
      (#"{"inputs":[{"name":"x"}]}"#, 400, "missing 'datatype' at index 0"),
      (#"{"inputs":[{"name":"x","datatype":"FP32"}]}"#, 400, "missing 'shape' at index 0"),
      (#"{"inputs":[{"name":"x","datatype":"FP32","shape":[1]}]}"#, 400, "must have either"),
      (#"{"id":7,"inputs":[]}"#, 400, "expected a JSON string"),
      (#"{"id":"a","id":"b"}"#, 400, "field 'id' occurs twice"),
      (#"{"inputs":[{"name":"x","name":"x"}]}"#, 400, "field 'name' occurs twice"),
      (Self.input(data: "[1,2]"), 400, "has 2 elements, but its shape holds 1"),
      (Self.input(data: #"["a"]"#), 400, "expected an element of type 'FP32' at"),
      (Self.input(data: "[1e40]"), 400, "is out of the range of 'FP32'"),
      (Self.input(shape: "[1,1]", data: "[[[2]]]"), 400, "is nested as [1,1,1]"),
      (Self.input(shape: "[-1]"), 400, "invalid extent -1"),
      (Self.input(shape: "[1.0]"), 400, "expected an integer"),
      (Self.input(shape: "[4294967296,4294967296]"), 400, "too large"),
      (Self.input(shape: "[4611686018427387904]"), 400, "too large"),
      (Self.input(shape: "[1,1,1,1,1,1,1,1,1]"), 400, "more than 8 extents"),
      (Self.input(shape: "[0]", data: "[]"), 400, "unexpected shape for input 'x'"),
      (
        Self.input(datatype: "INT32"), 400,
        "inference input 'x' data-type is 'INT32', but model 'half_plus_two' expects 'FP32'"
      ),
      (Self.input(datatype: "FLOAT"), 400, "unknown data-type 'FLOAT'"),
      (Self.input(datatype: "FP16"), 400, "cannot be given in JSON"),
      (Self.input(name: "z"), 400, "unexpected inference input 'z' for model 'half_plus_two'"),
      (Self.input(shape: "[1,2]", data: "[1,2]"), 400, "Expected"),
      (
        Self.input(shape: "[300]", data: "[" + Array(repeating: "1", count: 300).joined(separator: ",") + "]"),
        400, "inference request batch-size must be <= 256"
      ),
    ])
  func refusals(body: String, status: Int, message: String) throws {
    let reply = try agent.ask("POST", Self.infer, body)
    #expect(reply.status == status)
    #expect(reply.body.hasPrefix(#"{"error":""#))
    #expect(reply.body.contains(message), "\(reply)")
  }

  @Test(
    "paths and methods that are none are refused",
    arguments: [
      ("GET", "/v2/nope", 404), ("GET", "/v2/models", 404), ("GET", "/v2/models//ready", 404),
      ("GET", "/v2/models/digits/versions/2/nope", 404), ("GET", "/v2x", 404), ("GET", "/", 404),
      ("GET", "/v2/models/digits/infer", 405), ("POST", "/v2/health/live", 405),
      ("DELETE", "/v2/models/digits", 405), ("POST", "/v2/models/nope/infer", 404),
      ("POST", "/v2/models/digits/versions/9/infer", 404),
      ("POST", "/v2/models/digits/versions/none/infer", 404),
      ("POST", "/v2/models/absent/infer", 503), ("GET", "/v2/models/absent", 503),
      ("GET", "/v2/models/%zz", 404), ("GET", "/v2/models/%64igits", 200),
    ])
  func paths(method: String, path: String, status: Int) throws {
    let reply = try agent.ask(method, path)
    #expect(reply.status == status, "\(reply)")
    if status != 200 { #expect(reply.body.hasPrefix(#"{"error":""#)) }
  }

  @Test("golden vectors come back within a step of each operator")
  func golden() throws {
    for vector in try Fixtures.goldenVectors(beside: Fixtures.digitsModel(2)) {
      let data = "[" + vector.input.int8.map { "\($0)" }.joined(separator: ",") + "]"
      let reply = try agent.ask(
        "POST", "/v2/models/digits/versions/2/infer",
        Self.input(name: "image", datatype: "INT8", shape: "[1,8,8,1]", data: data))
      let start = try #require(reply.body.firstRange(of: #""data":["#)).upperBound
      let scores = reply.body[start...].prefix { $0 != "]" }.split(separator: ",").compactMap {
        Int($0)
      }
      let expected = vector.output.int8.map { Int($0) }
      #expect(scores.count == 10)
      #expect(zip(scores, expected).allSatisfy { abs($0 - $1) <= 3 })
    }
  }
}
