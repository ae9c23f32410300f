import OpenInference
import Serving
import TensorJSON
import Tensors
import TestSupport
import Testing
import Transport

@Suite("Extensions of the Open Inference Protocol")
struct OpenInferenceExtensionTests {
  private let agent = AgentFixture.shared

  private func infer(_ body: String, model: String = "half_plus_two") throws -> Reply {
    try agent.ask("POST", "/v2/models/\(model)/infer", body)
  }

  private static func half(_ extra: String = "") -> String {
    "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[1,2]}]\(extra)}"
  }

  @Test("the server lists its extensions, and no other")
  func discovery() throws {
    let reply = try agent.ask("GET", "/v2")
    #expect(
      reply.body.contains(
        "\"extensions\":[\"binary_tensor_data\",\"classification\",\"model_configuration\","
          + "\"schedule_policy\",\"statistics\"]"))
  }

  @Test("statistics count inferences of one version, and of all models")
  func statistics() throws {
    _ = try infer(Self.half())
    for path in ["half_plus_two/stats", "half_plus_two/versions/123/stats"] {
      let one = try agent.ask("GET", "/v2/models/\(path)")
      #expect(one.status == 200)
      #expect(one.body.hasPrefix("{\"model_stats\":[{\"name\":\"half_plus_two\",\"version\":\"123\""))
      #expect(!one.body.contains("\"inference_count\":0"))
    }
    let all = try agent.ask("GET", "/v2/models/stats")
    #expect(all.body.contains("\"name\":\"digits\"") && all.body.contains("\"half_plus_two\""))
    #expect(try agent.ask("GET", "/v2/models/nope/stats").status == 404)
    #expect(try agent.ask("GET", "/v2/models/digits/versions/9/stats").status == 404)
    #expect(try agent.ask("POST", "/v2/models/digits/stats").status == 405)
  }

  @Test("the configuration tells types and shapes")
  func configuration() throws {
    let reply = try agent.ask("GET", "/v2/models/half_plus_two/config")
    #expect(reply.status == 200)
    #expect(
      reply.body.contains("\"input\":[{\"name\":\"x\",\"data_type\":\"TYPE_FP32\",\"dims\":"))
    #expect(try agent.ask("GET", "/v2/models/nope/config").status == 404)
  }

  @Test("classification gives the best classes in place of the data")
  func classification() throws {
    let asked = ",\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":1}}]"
    let reply = try infer(Self.half(asked))
    #expect(reply.status == 200)
    #expect(reply.body.contains("\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"3.0:1\"]"))
    let more = try infer(Self.half(asked.replacing("\":1}", with: "\":9}")))
    #expect(more.body.contains("\"shape\":[2],\"data\":[\"3.0:1\",\"2.5:0\"]"))
    #expect(try infer(Self.half(asked.replacing("\":1}", with: "\":0}"))).status == 400)
  }

  @Test("classes travel in binary behind their lengths")
  func binaryClassification() throws {
    let asked =
      ",\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":1,\"binary_data\":true}}]"
    let response = try agent.request(
      "POST", "/v2/models/half_plus_two/infer", Array(Self.half(asked).utf8))
    #expect(Array(response.body.suffix(9)) == [5, 0, 0, 0] + Array("3.0:1".utf8))
  }

  @Test("a body without a header is the only input, and all outputs come in binary")
  func raw() throws {
    let picture = [UInt8](repeating: 0, count: 64)
    let response = try agent.request(
      "POST", "/v2/models/digits/infer", headers: [("Inference-Header-Content-Length", "0")],
      picture)
    #expect(response.status == 200)
    let header = try #require(response.header("inference-header-content-length").flatMap { Int($0) })
    #expect(response.body.count == header + 10)
    let short = try agent.request(
      "POST", "/v2/models/digits/infer", headers: [("Inference-Header-Content-Length", "0")],
      Array(picture.dropLast()))
    #expect(short.status == 400)
  }

  @Test("a timeout is read in microseconds and must not be negative")
  func timeout() throws {
    #expect(try infer(Self.half(",\"parameters\":{\"timeout\":1000000}")).status == 200)
    #expect(try infer(Self.half(",\"parameters\":{\"timeout\":0,\"priority\":1}")).status == 200)
    #expect(try infer(Self.half(",\"parameters\":{\"timeout\":-1}")).status == 400)
  }

  @Test("a timeout becomes a deadline, unless there is an earlier one")
  func deadline() throws {
    var request = InferRequest()
    #expect(request.inference.terms.deadline == nil)
    request.timeoutMicroseconds = 5_000_000
    let now = MonotonicClock.now()
    let deadline = try #require(request.inference.terms.deadline)
    #expect((now + 4_000_000_000...now + 65_000_000_000).contains(deadline))
    var terms = RequestTerms()
    terms.deadline = now
    #expect(request.inference(terms).terms.deadline == now)
  }

  @Test("a priority of the request goes before that of the transport")
  func priority() {
    var request = InferRequest()
    var terms = RequestTerms()
    terms.priority = .low
    #expect(request.inference(terms).terms.priority == .low)
    for (number, priority) in [(1, RequestPriority.high), (2, .normal), (3, .low), (99, .low)] {
      request.priority = number
      #expect(request.inference(terms).terms.priority == priority)
    }
  }

  @Test("fields of the request bound its wait and rank it, and are refused when they say nothing")
  func fields() throws {
    func status(_ fields: [(String, String)]) throws -> Int {
      try AgentFixture.shared.request(
        "POST", "/v2/models/half_plus_two/infer", headers: fields, Array(Self.half("").utf8)
      ).status
    }
    #expect(try status([("X-Request-Timeout-Ms", "1000"), ("x-request-priority", "1")]) == 200)
    for (name, value) in [
      ("x-request-timeout-ms", "0"), ("x-request-timeout-ms", "soon"),
      ("x-request-timeout-ms", "86400001"), ("x-request-priority", "-1"),
    ] { #expect(try status([(name, value)]) == 400) }
  }
}
