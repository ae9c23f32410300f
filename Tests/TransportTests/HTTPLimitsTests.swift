import Glibc
import Synchronization
import TestSupport
import Testing
import Transport

@Suite("Bounds of the HTTP server")
struct HTTPLimitsTests {
  private func limits(_ change: (inout HTTPLimits) -> Void) -> HTTPLimits {
    var limits = HTTPLimits()
    change(&limits)
    return limits
  }

  private func answer(_ fixture: ServerFixture, _ request: String) throws -> String {
    let connection = try #require(RawConnection(fixture.path))
    connection.send(request)
    return try #require(connection.receiveAll(), "the server leaves the connection open")
  }

  @Test("a body announced too large is refused before it comes")
  func announcedBody() throws {
    let fixture = try ServerFixture(
      limits: limits { $0.bodyBytesMaximum = 10 }, handler: ServerFixture.echo)
    let text = try answer(fixture, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n")
    #expect(text.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
    #expect(text.hasSuffix(#"{"error":"The request body exceeds 10 bytes."}"#))
  }

  @Test("a body that grows too large is refused")
  func growingBody() throws {
    let fixture = try ServerFixture(
      limits: limits { $0.bodyBytesMaximum = 10 }, handler: ServerFixture.echo)
    let text = try answer(
      fixture, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n")
    #expect(text.hasPrefix("HTTP/1.1 413 "))
  }

  @Test("a body of exactly the limit is taken")
  func fullBody() throws {
    let fixture = try ServerFixture(
      limits: limits { $0.bodyBytesMaximum = 10 }, handler: ServerFixture.echo)
    var client = UnixHTTPClient(path: fixture.path)
    let body = Array("0123456789".utf8)
    #expect(try client.request(method: "POST", path: "/", body: body).status == 200)
  }

  @Test("a compressed body is handed over as what it holds; what cannot be read is refused")
  func compressedBody() throws {
    let fixture = try ServerFixture(
      limits: limits { $0.bodyBytesMaximum = 100 }, handler: ServerFixture.echo)
    var client = UnixHTTPClient(path: fixture.path)
    func send(_ body: [UInt8], _ encoding: String = "gzip") throws -> HTTPResponse {
      try client.request(
        method: "POST", path: "/", headers: [("Content-Encoding", encoding)], body: body)
    }
    let whole = try send(Gzipped.stored(Array("held".utf8)))
    #expect(whole.body == Array("POST / -\nheld".utf8))
    #expect(try send([1, 2, 3]).status == 400)
    // What the trailer claims is believed as far as it is a reason to refuse.
    var bomb = Gzipped.stored([1])
    bomb[bomb.count - 4] = 101
    #expect(try send(bomb).status == 413)
    bomb[bomb.count - 4] = 2
    #expect(try send(bomb).status == 400)
    let other = try send([1], "br")
    #expect(other.status == 415)
    #expect(other.header("accept-encoding") == "gzip")
    #expect(try send([1], "identity").status == 200)
  }

  @Test("a larger body is taken as far as its target allows, and refused with the reason")
  func boundOfTarget() throws {
    let asked = Mutex<[String]>([])
    let limits = limits {
      $0.bodyBytesMaximum = 10
      $0.bodyBound = { method, path in
        asked.withLock { $0.append("\(method) \(path)") }
        guard path == "/large" else { return nil }
        return BodyBound(bytesMaximum: 20, madePerByte: 1, madeMaximum: 100, reason: ", the most here")
      }
    }
    let fixture = try ServerFixture(limits: limits, handler: ServerFixture.echo)
    var client = UnixHTTPClient(path: fixture.path)
    func post(_ path: String, _ body: [UInt8], _ headers: [(String, String)] = []) throws -> HTTPResponse {
      try client.request(method: "POST", path: path, headers: headers, body: body)
    }
    let text = [UInt8](repeating: 0x61, count: 21)
    #expect(try post("/large?x", Array(text[..<10])).status == 200)
    #expect(asked.withLock { $0 }.isEmpty)
    #expect(try post("/large?x", Array(text[..<20])).body.count == 14 + 20)
    #expect(asked.withLock { $0 } == ["POST /large"])
    let refused = try post("/large", text)
    #expect(refused.status == 413)
    #expect(refused.body == Array(#"{"error":"The request body exceeds 20 bytes, the most here."}"#.utf8))
    #expect(try post("/small", Array(text[..<11])).status == 413)
    let gzip = [("Content-Encoding", "gzip")]
    #expect(try post("/large", Gzipped.stored(Array(text[..<1])), gzip).status == 413)
  }

  @Test("a body of unknown length grows to the bound of its target, and no further")
  func growingToBound() throws {
    let limits = limits {
      $0.bodyBytesMaximum = 4
      $0.bodyBound = { _, _ in
        BodyBound(bytesMaximum: 12, madePerByte: 1, madeMaximum: 100, reason: "")
      }
    }
    let fixture = try ServerFixture(limits: limits, handler: ServerFixture.echo)
    let head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    let chunk = "6\r\nabcdef\r\n"
    #expect(try answer(fixture, head + chunk + chunk + "0\r\n\r\n").hasSuffix("abcdefabcdef"))
    #expect(try answer(fixture, head + chunk + chunk + chunk).hasPrefix("HTTP/1.1 413 "))
  }

  @Test("a client that is refused while it sends still reads the refusal")
  func refusedWhileSending() throws {
    let fixture = try ServerFixture(
      limits: limits { $0.bodyBytesMaximum = 1000 }, handler: ServerFixture.echo)
    var client = UnixHTTPClient(path: fixture.path)
    let body = [UInt8](repeating: 0x20, count: 4 << 20)
    #expect(try client.request(method: "POST", path: "/", body: body).status == 413)
    #expect(try client.request(method: "GET", path: "/").status == 200)
  }

  @Test(
    "heads beyond the limits are refused",
    arguments: [
      "GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "a", count: 9000))\r\n\r\n",
      "GET / HTTP/1.1\r\n\(String(repeating: "A: b\r\n", count: 65))\r\n",
      "GET / HTTP/1.1\r\n\(String(repeating: "A: \(String(repeating: "b", count: 1000))\r\n", count: 40))\r\n",
    ])
  func heads(request: String) throws {
    let fixture = try ServerFixture(handler: ServerFixture.echo)
    let text = try answer(fixture, request)
    #expect(text.hasPrefix("HTTP/1.1 431 "), "\(text)")
  }

  @Test(
    "what is no HTTP is refused",
    arguments: [
      "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "get / HTTP/1.1\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nA b: c\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
  func malformed(request: String) throws {
    let fixture = try ServerFixture(handler: ServerFixture.echo)
    let text = try answer(fixture, request)
    #expect(text.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(text)")
    #expect(text.hasSuffix(#"{"error":"Malformed HTTP request."}"#), "\(text)")
  }

  @Test("an expectation other than to continue is refused")
  func expectation() throws {
    let fixture = try ServerFixture(handler: ServerFixture.echo)
    let text = try answer(
      fixture, "POST / HTTP/1.1\r\nHost: h\r\nExpect: a-pony\r\nContent-Length: 1\r\n\r\n")
    #expect(text.hasPrefix("HTTP/1.1 417 "))
  }

  @Test("a refusal waits for the answers before it")
  func refusalInTurn() throws {
    let fixture = try ServerFixture { _, respond in
      onThread {
        usleep(20_000)
        respond(HTTPResponse(status: 200))
      }
    }
    let text = try answer(fixture, "GET / HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n")
    #expect(text.hasPrefix("HTTP/1.1 200 OK"))
    #expect(text.occurrences(of: "HTTP/1.1 400 ") == 1)
  }

  @Test("connections beyond the limit are told so")
  func connections() throws {
    let fixture = try ServerFixture(
      limits: limits { $0.connectionsMaximum = 2 }, handler: ServerFixture.echo)
    let first = try #require(RawConnection(fixture.path))
    let second = try #require(RawConnection(fixture.path))
    for connection in [first, second] {
      connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(connection.receive(until: "GET / -").hasPrefix("HTTP/1.1 200"))
    }
    let third = try #require(RawConnection(fixture.path))
    #expect(try #require(third.receiveAll()).hasPrefix("HTTP/1.1 503 "))
  }

  @Test("a connection without requests ends")
  func idle() throws {
    let fixture = try ServerFixture(
      limits: limits { $0.idleMilliseconds = 1_000 }, handler: ServerFixture.echo)
    #expect(try answer(fixture, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").hasSuffix("GET / -\n"))
  }

  @Test(
    "a request that does not arrive in time is refused, its head or its body",
    arguments: ["GET / HT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"])
  func slow(request: String) throws {
    let fixture = try ServerFixture(
      limits: limits { $0.requestMilliseconds = 50 }, handler: ServerFixture.echo)
    #expect(try answer(fixture, request).hasPrefix("HTTP/1.1 408 "))
  }
}
