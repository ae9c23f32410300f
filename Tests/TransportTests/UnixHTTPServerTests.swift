import Glibc
import Synchronization
import TestSupport
import Testing
import Transport

@Suite("HTTP server on a Unix socket")
struct UnixHTTPServerTests {
  @Test("answers a request with its method, path, query and body")
  func echoes() throws {
    let fixture = try ServerFixture(handler: ServerFixture.echo)
    var client = UnixHTTPClient(path: fixture.path)
    let response = try client.request(method: "POST", path: "/a/b?c=d?e", body: Array("hello".utf8))
    #expect(response.status == 200)
    #expect(String(decoding: response.body, as: UTF8.self) == "POST /a/b c=d?e\nhello")
  }

  @Test("keeps the connection for the next request")
  func keepsAlive() throws {
    let fixture = try ServerFixture(handler: ServerFixture.echo)
    let connection = try #require(RawConnection(fixture.path))
    for _ in 0..<3 {
      connection.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(connection.receive(until: "GET /x -\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
    }
  }

  @Test("answers pipelined requests in order, whichever is ready first")
  func pipelines() throws {
    let fixture = try ServerFixture { request, respond in
      let path = request.path
      let answer: @Sendable () -> Void = {
        respond(HTTPResponse(status: 200, body: Array("<\(path)>".utf8)))
      }
      if path == "/slow" { onThread { usleep(30_000); answer() } } else { answer() }
    }
    let connection = try #require(RawConnection(fixture.path))
    let request = { (path: String) in "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n" }
    connection.send(request("/1") + request("/slow") + request("/2") + request("/slow"))
    let text = connection.receive(until: ">", count: 4)
    let order = text.split(separator: "<").dropFirst().map { String($0.prefix { $0 != ">" }) }
    #expect(order == ["/1", "/slow", "/2", "/slow"])
  }

  @Test("tells the handler that a client has gone, and nothing once it was answered")
  func clientLeaves() throws {
    let gone = Atomic<Int>(0)
    let asked = Atomic<Int>(0)
    let fixture = try ServerFixture { request, respond in
      request.client?.whenGone { gone.add(1, ordering: .relaxed) }
      asked.add(1, ordering: .relaxed)
      if request.path == "/slow" {
        onThread {
          for _ in 0..<2000 where gone.load(ordering: .relaxed) == 0 { usleep(1000) }
          respond(HTTPResponse(status: 200))
        }
      } else {
        respond(HTTPResponse(status: 200))
      }
    }
    var connection = RawConnection(fixture.path)
    connection?.send("GET /quick HTTP/1.1\r\nHost: h\r\n\r\n")
    _ = connection?.receive(until: "\r\n\r\n")
    connection?.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
    while asked.load(ordering: .relaxed) < 2 { usleep(500) }
    #expect(gone.load(ordering: .relaxed) == 0)
    connection = nil
    for _ in 0..<2000 where gone.load(ordering: .relaxed) == 0 { usleep(1000) }
    // The quick one was answered before; only the slow one's client left.
    #expect(gone.load(ordering: .relaxed) == 1)
  }

  @Test("counts by reason what it refuses before the handler is asked")
  func refusals() throws {
    var limits = HTTPLimits()
    limits.bodyBytesMaximum = 10
    limits.connectionsMaximum = 1
    let fixture = try ServerFixture(limits: limits, handler: ServerFixture.echo)
    let first = try #require(RawConnection(fixture.path))
    first.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
    _ = first.receive(until: "GET /x -\n")
    let second = try #require(RawConnection(fixture.path))
    #expect(second.receiveAll()?.hasPrefix("HTTP/1.1 503 ") == true)
    first.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n")
    #expect(first.receiveAll()?.hasPrefix("HTTP/1.1 413 ") == true)
    #expect(limits.refusals.all == [.tooManyConnections: 1, .tooLarge: 1])
  }

  @Test("HEAD has the length of the body and no body")
  func head() throws {
    let fixture = try ServerFixture(handler: ServerFixture.echo)
    let connection = try #require(RawConnection(fixture.path))
    connection.send("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    let text = try #require(connection.receiveAll())
    #expect(text.contains("Content-Length: 10\r\n"))
    #expect(text.hasSuffix("\r\n\r\n"))
  }

  @Test("tells the handler who is at the other end")
  func peer() throws {
    let fixture = try ServerFixture { request, respond in
      let peer = request.peer.map { "\($0.processID) \($0.userID) \($0.groupID)" } ?? "nobody"
      respond(HTTPResponse(status: 200, body: Array(peer.utf8)))
    }
    var client = UnixHTTPClient(path: fixture.path)
    let response = try client.request(method: "GET", path: "/")
    #expect(String(decoding: response.body, as: UTF8.self) == "\(getpid()) \(getuid()) \(getgid())")
  }

  @Test("a responder dropped uncalled answers 500")
  func dropped() throws {
    let fixture = try ServerFixture { _, _ in }
    var client = UnixHTTPClient(path: fixture.path)
    #expect(try client.request(method: "GET", path: "/").status == 500)
  }

  @Test("chunked bodies arrive whole")
  func chunked() throws {
    let fixture = try ServerFixture(handler: ServerFixture.echo)
    let connection = try #require(RawConnection(fixture.path))
    connection.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    #expect(connection.receive(until: "abcde").hasSuffix("POST /c -\nabcde"))
  }

  @Test("asks a client that expects it to go on")
  func continues() throws {
    let fixture = try ServerFixture(handler: ServerFixture.echo)
    let connection = try #require(RawConnection(fixture.path))
    connection.send("POST /c HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    #expect(connection.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    connection.send("ok")
    #expect(connection.receive(until: "ok").hasPrefix("HTTP/1.1 200 OK"))
  }

  @Test("answers a client that has closed its sending side")
  func halfClose() throws {
    let fixture = try ServerFixture { _, respond in
      onThread { usleep(20_000); respond(HTTPResponse(status: 200, body: Array("late".utf8))) }
    }
    let connection = try #require(RawConnection(fixture.path))
    connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    connection.endInput()
    #expect(try #require(connection.receiveAll()).hasSuffix("late"))
  }
}

/// Runs `body` on a thread of its own.
func onThread(_ body: @escaping @Sendable () -> Void) {
  var thread = pthread_t()
  let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
  _ = unsafe pthread_create(&thread, nil, { pointer in
    unsafe Unmanaged<Box>.fromOpaque(pointer!).takeRetainedValue().body()
    return nil
  }, box)
  pthread_detach(thread)
}

private final class Box: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
