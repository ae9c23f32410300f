import Glibc
import Synchronization
import TestSupport
import Testing
import Transport

@Suite("Several threads of I/O")
struct SeveralThreadsTests {
  /// Holds each request for `/hold` on the thread that brings it, until it is opened.
  private final class Gate: Sendable {
    let held = Atomic<Int>(0)
    let isOpen = Atomic<Bool>(false)

    func hold() {
      held.add(1, ordering: .relaxed)
      while !isOpen.load(ordering: .acquiring) { usleep(200) }
    }

    func open() { isOpen.store(true, ordering: .releasing) }

    /// Lets all go, so that the server can go down whatever became of the test.
    func end(_ fixture: ServerFixture) {
      open()
      withExtendedLifetime(fixture) {}
    }
  }

  /// Keeps the answers to requests for `/hold`, while the threads that brought them go on.
  private final class Waiting: Sendable {
    private let answers = Mutex<[@Sendable (HTTPResponse) -> Void]>([])

    var count: Int { answers.withLock { $0.count } }

    var handler: HTTPHandler {
      { [self] request, respond in
        guard request.path == "/hold" else { return respond(HTTPResponse(status: 200)) }
        answers.withLock { $0.append(respond) }
      }
    }

    func answer() {
      let waiting = answers.withLock { answers in
        let waiting = answers
        answers = []
        return waiting
      }
      for respond in waiting { respond(HTTPResponse(status: 200)) }
    }
  }

  private static let handler: @Sendable (Gate) -> HTTPHandler = { gate in
    { request, respond in
      if request.path == "/hold" { gate.hold() }
      respond(HTTPResponse(status: 200))
    }
  }

  private static let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
  private static let hold = "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n"

  private static func connections(_ count: Int, _ path: String) throws -> [RawConnection] {
    try (0..<count).map { _ in
      let connection = try #require(RawConnection(path))
      // Accepted, and on its thread.
      connection.send(get)
      #expect(connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
      return connection
    }
  }

  @Test("answer requests of different connections at the same time", arguments: [2, 3])
  func sideBySide(threads: Int) throws {
    let gate = Gate()
    let fixture = try ServerFixture(threads: threads, handler: Self.handler(gate))
    defer { gate.end(fixture) }
    let connections = try Self.connections(threads, fixture.path)
    for connection in connections { connection.send(Self.hold) }
    // None goes on before all are under way.
    #expect(eventually { gate.held.load(ordering: .relaxed) == threads })
    gate.open()
    for connection in connections {
      #expect(connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test("bound the connections of all threads together, and give places back")
  func connectionsTogether() throws {
    var limits = HTTPLimits()
    limits.connectionsMaximum = 3
    let fixture = try ServerFixture(limits: limits, threads: 2, handler: Self.handler(Gate()))
    defer { withExtendedLifetime(fixture) {} }
    var connections = try Self.connections(3, fixture.path)
    for _ in 0..<3 {
      let refused = try #require(RawConnection(fixture.path))
      #expect(try #require(refused.receiveAll()).hasPrefix("HTTP/1.1 503"))
    }
    connections.removeAll()
    #expect(
      eventually {
        var client = UnixHTTPClient(path: fixture.path)
        return (try? client.request(method: "GET", path: "/"))?.status == 200
      })
  }

  @Test("all end what is under way when the server goes down")
  func drain() throws {
    let waiting = Waiting()
    let fixture = try ServerFixture(threads: 2, handler: waiting.handler)
    defer { withExtendedLifetime(fixture) {} }
    let connections = try Self.connections(4, fixture.path)
    let busy = connections[..<2]
    for connection in busy { connection.send(Self.hold) }
    #expect(eventually { waiting.count == 2 })
    let server = fixture.server
    let down = Down()
    TestThread.start {
      server.shutdown(drainMilliseconds: 60_000)
      down.set()
    }
    // Both threads have begun with it: each lets the connection go that has nothing under way.
    for connection in connections[2...] { #expect(connection.receiveAll() == "") }
    #expect(!down.isTrue)
    waiting.answer()
    for connection in busy {
      #expect(connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
    }
    #expect(eventually { down.isTrue })
  }

  private final class Down: Sendable {
    private let isDown = Atomic<Bool>(false)
    var isTrue: Bool { isDown.load(ordering: .acquiring) }
    func set() { isDown.store(true, ordering: .releasing) }
  }

  @Test("are told of together, when each has answered", arguments: [0, 1])
  func submitted(held: Int) throws {
    let gate = Gate()
    let fixture = try ServerFixture(threads: 2, handler: Self.handler(gate))
    defer { gate.end(fixture) }
    let connections = try Self.connections(2, fixture.path)
    connections[held].send(Self.hold)
    #expect(eventually { gate.held.load(ordering: .relaxed) == 1 })
    let down = Down()
    fixture.thread.submit { down.set() }
    // The other thread does what it is told between its first answer and its second; it alone does
    // not count.
    for _ in 0..<2 {
      connections[1 - held].send(Self.get)
      #expect(connections[1 - held].receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
    }
    #expect(!down.isTrue)
    gate.open()
    #expect(eventually { down.isTrue })
  }

  private func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<30_000 {
      if condition() { return true }
      usleep(1000)
    }
    return false
  }
}
