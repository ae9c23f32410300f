import Testing
import Transport

@Suite("Loopback port")
struct LoopbackTests {
  @Test(
    "takes addresses of this machine alone",
    arguments: [
      ("127.0.0.1", true), ("127.255.0.9", true), ("::1", true), ("0.0.0.0", false),
      ("128.0.0.1", false), ("127.0.0", false), ("127.0.0.256", false), ("127.0.0.01", false),
      ("localhost", false), ("::", false), ("", false), ("127.0.0.1 ", false),
    ])
  func addresses(_ address: String, _ isTaken: Bool) {
    #expect((LoopbackPlace(address: address, port: 8501) != nil) == isTaken)
  }

  @Test("compares whole tokens")
  func tokens() throws {
    let token = try #require(BearerToken(Array("0123456789abcdef".utf8)))
    #expect(token.matches("Bearer 0123456789abcdef"))
    #expect(token.matches("BEARER 0123456789abcdef"))
    for field in [
      nil, "", "Bearer", "Bearer 0123456789abcde", "Bearer 0123456789abcdeg",
      "Bearer 0123456789abcdef0", "Basic 0123456789abcdef", "Bearer  0123456789abcdef",
    ] { #expect(!token.matches(field)) }
    #expect(BearerToken(Array("short".utf8)) == nil)
    #expect(BearerToken(Array("with spaces in it".utf8)) == nil)
  }
}
