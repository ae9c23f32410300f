import Glibc
import TestSupport
import Testing
import Transport

@Suite("Socket files")
struct SocketFileTests {
  let directory = TemporaryDirectory("edgeserve-socket")
  let thread = EventLoopThread()
  var path: String { directory.path + "/s.sock" }

  private func serve(_ path: String, mode: mode_t = 0o600) throws(TransportError) -> UnixHTTPServer {
    try UnixHTTPServer(
      at: SocketPlace(path: path, mode: mode), thread: thread, handler: ServerFixture.echo)
  }

  private func status(_ path: String) -> stat? {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status : nil
  }

  @Test("the file has the mode asked for, whatever the umask", arguments: [0o600, 0o660, 0o666])
  func mode(mode: mode_t) throws {
    let server = try serve(path, mode: mode)
    #expect(try #require(status(path)).st_mode & 0o7777 == mode)
    server.shutdown(drainMilliseconds: 100)
    #expect(status(path) == nil)
  }

  /// A socket of somebody else's at `path`.
  private func boundSocket() -> CInt {
    let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    return descriptor
  }

  @Test("a socket that the service manager holds is used, and outlives the server with its queue")
  func inherited() throws {
    let descriptor = boundSocket()
    #expect(listen(descriptor, 8) == 0)
    let announce: (String) -> String? = { $0 == "LISTEN_PID" ? "\(getpid())" : "1" }
    for _ in 0..<2 {
      // As a new process would have it: a descriptor of its own.
      let inherited = InheritedSockets(environment: announce, first: dup(descriptor))
      #expect(inherited.paths == [path])
      let server = try UnixHTTPServer(
        at: SocketPlace(path: path, mode: 0o600, inherited: inherited), thread: thread,
        handler: ServerFixture.echo)
      var client = UnixHTTPClient(path: path)
      #expect(try client.request(method: "GET", path: "/").status == 200)
      server.shutdown(drainMilliseconds: 100)
      #expect(status(path) != nil)
    }
    // Nobody accepts now, and still a client is not turned away.
    #expect(RawConnection(path) != nil)
    close(descriptor)
  }

  @Test("sockets announced to another process, and descriptors that are none, are left alone")
  func notInherited() throws {
    let descriptor = boundSocket()
    defer { close(descriptor) }
    let ours = { (name: String) in name == "LISTEN_PID" ? "\(getpid())" : "1" }
    // Bound, and not listening.
    #expect(InheritedSockets(environment: ours, first: descriptor).paths.isEmpty)
    #expect(listen(descriptor, 8) == 0)
    #expect(InheritedSockets(environment: { _ in "1" }, first: descriptor).paths.isEmpty)
    #expect(InheritedSockets(environment: { _ in nil }, first: descriptor).paths.isEmpty)
    #expect(InheritedSockets(environment: ours, first: 100_000).paths.isEmpty)
  }

  @Test("the file has the group asked for")
  func group() throws {
    let server = try UnixHTTPServer(
      at: SocketPlace(path: path, mode: 0o660, group: getegid()), thread: thread,
      handler: ServerFixture.echo)
    let file = try #require(status(path))
    #expect(file.st_gid == getegid())
    #expect(file.st_mode & 0o7777 == 0o660)
    server.shutdown(drainMilliseconds: 100)
  }

  @Test("a socket that nobody answers at is replaced")
  func stale() throws {
    close(boundSocket())
    #expect(status(path) != nil)
    let server = try serve(path)
    var client = UnixHTTPClient(path: path)
    #expect(try client.request(method: "GET", path: "/").status == 200)
    server.shutdown(drainMilliseconds: 100)
  }

  @Test("a socket that somebody answers at is left alone")
  func inUse() throws {
    let server = try serve(path)
    #expect(throws: TransportError.addressInUse(path: path)) { try serve(path) }
    var client = UnixHTTPClient(path: path)
    #expect(try client.request(method: "GET", path: "/").status == 200)
    server.shutdown(drainMilliseconds: 100)
  }

  @Test("a file that is no socket is left alone")
  func noSocket() {
    directory.write("s.sock", "precious")
    #expect(throws: TransportError.notASocket(path: path)) { try serve(path) }
    #expect(status(path)?.st_size == 8)
  }

  @Test("a path too long for the system is refused with its length")
  func longPath() throws {
    let long = directory.path + "/" + String(repeating: "a", count: 108)
    let bytes = long.utf8.count
    let error = TransportError.pathTooLong(path: long, bytes: bytes, maximum: 107)
    #expect(throws: error) { try serve(long) }
    #expect(throws: error) {
      var client = UnixHTTPClient(path: long)
      return try client.request(method: "GET", path: "/")
    }
    let longest = directory.path + "/" + String(repeating: "a", count: 106 - directory.path.utf8.count)
    let server = try serve(longest)
    var client = UnixHTTPClient(path: longest)
    #expect(try client.request(method: "GET", path: "/").status == 200)
    server.shutdown(drainMilliseconds: 100)
  }

  @Test("a directory that is not there is named in the error")
  func noDirectory() {
    let absent = directory.path + "/absent/s.sock"
    #expect(throws: TransportError.cannotListen(path: absent, call: "bind", errno: ENOENT)) {
      try serve(absent)
    }
  }

  @Test("shutdown leaves a file that has taken the socket's place")
  func replaced() throws {
    let server = try serve(path)
    #expect(unsafe unlink(path) == 0)
    directory.write("s.sock", "other")
    server.shutdown(drainMilliseconds: 100)
    #expect(status(path)?.st_size == 5)
  }
}

@Suite("Shutdown of the HTTP server")
struct ShutdownTests {
  @Test("requests under way are answered, idle connections end")
  func drains() throws {
    let thread = EventLoopThread()
    let directory = TemporaryDirectory("edgeserve-drain")
    let path = directory.path + "/s.sock"
    let server = try UnixHTTPServer(
      at: SocketPlace(path: path, mode: 0o600), thread: thread
    ) { _, respond in
      onThread {
        usleep(100_000)
        respond(HTTPResponse(status: 200, body: Array("late".utf8)))
      }
    }
    let idle = try #require(RawConnection(path))
    let busy = try #require(RawConnection(path))
    busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    usleep(30_000)
    server.shutdown(drainMilliseconds: 5000)
    let text = try #require(busy.receiveAll())
    #expect(text.hasSuffix("late"))
    #expect(text.contains("Connection: close\r\n"))
    #expect(idle.receiveAll() == "")
    #expect(RawConnection(path) == nil)
  }

  @Test("a request that takes longer than the bound is cut off")
  func bounded() throws {
    let thread = EventLoopThread()
    let directory = TemporaryDirectory("edgeserve-drain")
    let path = directory.path + "/s.sock"
    let server = try UnixHTTPServer(
      at: SocketPlace(path: path, mode: 0o600), thread: thread
    ) { _, respond in
      onThread {
        usleep(500_000)
        respond(HTTPResponse(status: 200))
      }
    }
    let busy = try #require(RawConnection(path))
    busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    usleep(30_000)
    server.shutdown(drainMilliseconds: 20)
    #expect(busy.receiveAll() == "")
  }
}

@Suite("Blocking HTTP client")
struct UnixHTTPClientTests {
  @Test("a path that nobody answers at is an error of its own")
  func unreachable() {
    let directory = TemporaryDirectory("edgeserve-client")
    let path = directory.path + "/none.sock"
    #expect(throws: TransportError.cannotConnect(path: path, errno: ENOENT)) {
      var client = UnixHTTPClient(path: path)
      return try client.request(method: "GET", path: "/")
    }
  }

  @Test("a kept connection that the server closed is opened anew")
  func reconnects() throws {
    var limits = HTTPLimits()
    limits.idleMilliseconds = 20
    let fixture = try ServerFixture(limits: limits, handler: ServerFixture.echo)
    var client = UnixHTTPClient(path: fixture.path)
    #expect(try client.request(method: "GET", path: "/").status == 200)
    usleep(200_000)
    #expect(try client.request(method: "GET", path: "/").status == 200)
  }

  @Test("bodies of every size come back whole", arguments: [0, 1, 65_535, 65_536, 300_000])
  func sizes(count: Int) throws {
    var limits = HTTPLimits()
    limits.bodyBytesMaximum = 300_000
    let fixture = try ServerFixture(limits: limits) { request, respond in
      respond(HTTPResponse(status: 200, body: request.body))
    }
    var client = UnixHTTPClient(path: fixture.path)
    let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for _ in 0..<2 {
      #expect(try client.request(method: "POST", path: "/", body: body).body == body)
    }
  }

  @Test("a response beyond the limit is refused")
  func responseLimit() throws {
    let fixture = try ServerFixture { _, respond in
      respond(HTTPResponse(status: 200, body: [UInt8](repeating: 0, count: 101)))
    }
    var limits = UnixHTTPClient.Limits()
    limits.responseBytesMaximum = 100
    #expect(throws: TransportError.responseTooLarge(limit: 100)) {
      var client = UnixHTTPClient(path: fixture.path, limits: limits)
      return try client.request(method: "GET", path: "/")
    }
  }

  @Test("a server that does not answer is given up")
  func timeout() throws {
    let fixture = try ServerFixture { _, respond in
      onThread {
        usleep(300_000)
        respond(HTTPResponse(status: 200))
      }
    }
    var limits = UnixHTTPClient.Limits()
    limits.timeoutMilliseconds = 30
    #expect(throws: TransportError.timedOut(milliseconds: 30)) {
      var client = UnixHTTPClient(path: fixture.path, limits: limits)
      return try client.request(method: "GET", path: "/")
    }
  }
}

@Suite("Request paths")
struct PathTests {
  @Test(
    "segments are decoded",
    arguments: [
      ("/a/b", ["a", "b"]), ("/", [""]), ("/a%20b/%C3%A9", ["a b", "é"]), ("/a//b/", ["a", "", "b", ""]),
      ("/%2F", ["/"]),
    ])
  func segments(path: String, expected: [String]) {
    #expect(pathSegments(path) == expected)
  }

  @Test("broken escapes are refused", arguments: ["a", "", "/%", "/%4", "/%zz", "/%00", "/%ff"])
  func broken(path: String) { #expect(pathSegments(path) == nil) }
}
