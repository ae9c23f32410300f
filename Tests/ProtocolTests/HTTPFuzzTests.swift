import TestSupport
import Testing
import Transport

@Suite("Requests from outside")
struct HTTPFuzzTests {
  static let requests = [
    ("POST", "/v1/models/half_plus_two:predict", #"{"instances":[1.0,2.0]}"#),
    (
      "POST", "/v1/models/half_plus_two:regress",
      #"{"context":{"x":4},"examples":[{},{"x":[1]}]}"#
    ), ("POST", "/v1/models/half_plus_two/versions/123:predict", #"{"inputs":{"x":[1]}}"#),
    (
      "POST", "/v2/models/half_plus_two/infer",
      #"{"id":"7","inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[2.5]}]}"#
    ),
    ("GET", "/v2/models/digits/versions/2", ""), ("HEAD", "/v2/health/live", ""),
    ("GET", "/v1/models/digits/metadata?a=b", ""),
  ].map { method, target, body in
    Array(
      "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        .utf8)
  }

  @Test("20,000 broken requests are answered or refused, and the server goes on", arguments: 1...4)
  func mutations(seed: UInt64) throws {
    let agent = AgentFixture.shared
    var random = SplitMix64(seed: seed)
    for _ in 0..<5_000 {
      let connection = try #require(RawConnection(agent.path))
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        connection.send(Self.requests.randomElement(using: &random)!.mutated(using: &random))
      }
      connection.endInput()
      let text = try #require(connection.receiveAll(), "the server leaves the connection open")
      #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 "), "\(text)")
    }
    let reply = try agent.ask("POST", "/v1/models/half_plus_two:predict", #"{"instances":[1]}"#)
    #expect(reply == Reply(200, #"{"predictions":[2.5]}"#))
  }
}
