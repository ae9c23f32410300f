import Glibc
import Synchronization
import TestSupport
import Testing
import Transport

/// A budget that connections are paid from.
private final class Budget: ConnectionMemory {
  private let left: Mutex<Int>
  private let limit: Int

  init(_ bytes: Int) {
    left = Mutex(bytes)
    limit = bytes
  }

  var taken: Int { limit - left.withLock { $0 } }

  func take(_ bytes: Int) -> Bool {
    left.withLock { left in
      guard bytes <= left else { return false }
      left -= bytes
      return true
    }
  }

  func giveBack(_ bytes: Int) { left.withLock { $0 += bytes } }
}

@Suite("Memory of connections")
struct ConnectionMemoryTests {
  private func server(_ budget: Budget) throws -> ServerFixture {
    var limits = HTTPLimits()
    limits.memory = budget
    limits.connectionBytes = 1000
    return try ServerFixture(limits: limits, handler: ServerFixture.echo)
  }

  private func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<5000 {
      if condition() { return true }
      usleep(1000)
    }
    return false
  }

  @Test("a connection that does not fit is told so and closed; the next fits when one has gone")
  func connections() throws {
    let budget = Budget(2500)
    let server = try server(budget)
    var first: UnixHTTPClient? = UnixHTTPClient(path: server.path)
    var second = UnixHTTPClient(path: server.path)
    #expect(try first?.request(method: "GET", path: "/").status == 200)
    #expect(try second.request(method: "GET", path: "/").status == 200)
    #expect(budget.taken == 2000)
    var third = UnixHTTPClient(path: server.path)
    let refused = try third.request(method: "GET", path: "/")
    #expect(refused.status == 503)
    #expect(refused.header("retry-after") == "1")
    #expect(budget.taken == 2000)
    first = nil
    #expect(eventually { budget.taken == 1000 })
    #expect(try third.request(method: "GET", path: "/").status == 200)
  }

  @Test("a large body is paid for while its request is under way")
  func bodies() throws {
    let budget = Budget(31_000)
    let server = try server(budget)
    var client = UnixHTTPClient(path: server.path)
    let fits = [UInt8](repeating: 1, count: 10_000)
    #expect(try client.request(method: "POST", path: "/", body: fits).status == 200)
    #expect(eventually { budget.taken == 1000 })
    let refused = try client.request(method: "POST", path: "/", body: fits + [1])
    #expect(refused.status == 503)
    #expect(eventually { budget.taken <= 1000 })
    #expect(try client.request(method: "POST", path: "/", body: fits).status == 200)
  }

  @Test("a body whose target is known is paid for with what is made of it, and no more")
  func boundBodies() throws {
    let budget = Budget(26_000)
    var limits = HTTPLimits()
    limits.memory = budget
    limits.connectionBytes = 1000
    limits.bodyBytesMaximum = 1000
    limits.bodyBound = { _, _ in
      BodyBound(bytesMaximum: 100_000, madePerByte: 2, madeMaximum: 5000, reason: "")
    }
    let taken = Mutex(0)
    let server = try ServerFixture(limits: limits) { request, respond in
      taken.withLock { $0 = budget.taken }
      respond(HTTPResponse(status: 200))
    }
    var client = UnixHTTPClient(path: server.path)
    func post(_ count: Int) throws -> Int {
      let body = [UInt8](repeating: 1, count: count)
      return try client.request(method: "POST", path: "/", body: body).status
    }
    #expect(try post(2000) == 200)
    #expect(taken.withLock { $0 } == 1000 + 3 * 2000)
    #expect(try post(20_000) == 200)
    #expect(taken.withLock { $0 } == 1000 + 20_000 + 5000)
    #expect(try post(20_001) == 503)
    #expect(eventually { budget.taken <= 1000 })
  }

  /// Keeps work for another thread until it is told to run it.
  private final class Desk: Sendable {
    private let jobs = Mutex<[@Sendable () -> Void]>([])

    var isEmpty: Bool { jobs.withLock { $0.isEmpty } }

    func take(_ job: @escaping @Sendable () -> Void) { jobs.withLock { $0.append(job) } }

    func run() {
      let waiting = jobs.withLock { jobs in
        let waiting = jobs
        jobs = []
        return waiting
      }
      for job in waiting { job() }
    }
  }

  @Test("a large compressed body is read on another thread, in its turn, and nobody waits for it")
  func expandedElsewhere() throws {
    let (desk, budget) = (Desk(), Budget(1_000_000))
    var limits = HTTPLimits()
    limits.memory = budget
    limits.connectionBytes = 1000
    limits.expandedBytesInline = 10
    limits.compute = { desk.take($0) }
    let server = try ServerFixture(limits: limits, handler: ServerFixture.echo)
    func send(_ body: [UInt8], then more: String = "") throws -> RawConnection {
      let connection = try #require(RawConnection(server.path))
      let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n"
      connection.send(Array(head.utf8) + body + Array(more.utf8))
      #expect(eventually { !desk.isEmpty })
      var other = UnixHTTPClient(path: server.path)
      #expect(try other.request(method: "GET", path: "/").status == 200)
      return connection
    }
    let text = String(repeating: "abc", count: 100)
    let zipped = Gzipped.stored(Array(text.utf8))
    let whole = try send(zipped, then: "GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
    whole.endInput()
    desk.run()
    let answers = try #require(whole.receiveAll())
    #expect(answers.contains("POST / -\n\(text)HTTP/1.1 200"))
    #expect(answers.hasSuffix("GET /next -\n"))
    var broken = zipped
    broken[broken.count - 8] ^= 1
    let refused = try send(broken)
    desk.run()
    #expect(try #require(refused.receiveAll()).hasPrefix("HTTP/1.1 400"))
    #expect(limits.refusals.all == [.malformed: 1])
    // A client that leaves meanwhile harms nobody.
    _ = try send(zipped)
    desk.run()
    #expect(eventually { budget.taken == 0 })
  }
}
