import GRPC
import NIOCore
import NIOHPACK
import TestSupport
import Testing

@Suite("gRPC connections from outside")
struct GRPCFuzzTests {
  /// What a client sends for one call: the preface, its settings, metadata and a message.
  static let conversation: [UInt8] = {
    var block = ByteBuffer()
    var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
    let headers = HPACKHeaders([
      (":method", "POST"), (":scheme", "http"), (":path", "/test/echo"), (":authority", "x"),
      ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "5S"),
    ])
    // The encoder fails for tables that are too large alone.
    try! encoder.encode(headers: headers, to: &block)
    let data = TestClient.framed([1, 2, 3, 4])
    return Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
      + frame(4, 0, 0, [0, 3, 0, 0, 0, 100, 0, 4, 0, 0, 0xFF, 0xFF])
      + frame(1, 4, 1, Array(block.readableBytesView)) + frame(0, 1, 1, data)
      + frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]) + frame(8, 0, 0, [0, 0, 1, 0])
      + frame(1, 4, 3, Array(block.readableBytesView)) + frame(0, 0, 3, data)
      + frame(3, 0, 3, [0, 0, 0, 8])
  }()

  private static func frame(
    _ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]
  ) -> [UInt8] {
    [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, stream] + payload
  }

  @Test("20,000 broken conversations are answered or ended, and the server goes on", arguments: 1...4)
  func mutations(seed: UInt64) throws {
    let server = try ServerFixture()
    var random = SplitMix64(seed: seed)
    for round in 0..<5_000 {
      var bytes = Self.conversation.mutated(using: &random)
      // Half of the damage goes past the preface, which hardly anything survives.
      if round % 2 == 0 {
        bytes = Array(Self.conversation[..<24])
          + Array(Self.conversation[24...]).mutated(using: &random)
      }
      let connection = try #require(RawConnection(server.path))
      connection.send(bytes)
      connection.endInput()
      _ = try #require(connection.receiveAll(), "the server leaves the connection open")
    }
    #expect(try TestClient(server.path).call("/test/echo", [5]).messages == [[5]])
  }

  @Test("a connection that speaks HTTP/1.1 is ended")
  func wrongProtocol() throws {
    let server = try ServerFixture()
    let connection = try #require(RawConnection(server.path))
    connection.send("POST /test/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    #expect(connection.receiveAll() != nil)
  }
}
