import GRPC
import Glibc
import NIOCore
import NIOHTTP2
import Synchronization
import TestSupport
import Testing
import Transport

@Suite("gRPC server")
struct UnixGRPCServerTests {
  @Test("answers a call with its message between two lists of metadata")
  func unary() throws {
    let server = try ServerFixture()
    let client = try TestClient(server.path)
    let answer = try client.call("/test/echo", [1, 2, 3])
    #expect(answer.initial == [":status": "200", "content-type": "application/grpc"])
    #expect(answer.messages == [[1, 2, 3]])
    #expect(answer.trailers == ["grpc-status": "0"])
    #expect(answer.resetCode == nil)
    #expect(try client.call("/test/echo", []).messages == [[]])
  }

  @Test("messages may come in pieces, cut anywhere, and end with an empty frame")
  func pieces() throws {
    let server = try ServerFixture()
    let client = try TestClient(server.path)
    let framed = TestClient.framed([9, 8, 7, 6])
    for cut in 1..<framed.count {
      let pieces = [Array(framed[..<cut]), Array(framed[cut...]), []]
      #expect(try client.start("/test/echo", pieces).answer.wait().messages == [[9, 8, 7, 6]])
    }
    #expect(try client.start("/test/echo", framed.map { [$0] }).answer.wait().code == .ok)
  }

  @Test("messages of 12 MB come and go whole")
  func largeMessages() throws {
    var limits = GRPCLimits()
    limits.largerMessages = { 12_000_000 }
    let server = try ServerFixture(limits: limits)
    let client = try TestClient(server.path)
    let message = (0..<12_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let answer = try client.call("/test/echo", message)
    #expect(answer.messages == [message])
    #expect(try client.call("/test/large", []).messages == [[UInt8](repeating: 7, count: 12_000_000)])
  }

  @Test(
    "a hundred calls of each connection are answered, each with its own message", arguments: [1, 2])
  func manyCalls(threads: Int) throws {
    let server = try ServerFixture(threads: threads)
    let clients = try (0..<3).map { _ in try TestClient(server.path) }
    let answers = (0..<100).map { number in
      clients.indices.map { index in
        let message = [UInt8(number), UInt8(index)]
        return clients[index].start("/test/echo", [TestClient.framed(message)]).answer
      }
    }
    for (number, answers) in answers.enumerated() {
      for (index, answer) in answers.enumerated() {
        #expect(try answer.wait().messages == [[UInt8(number), UInt8(index)]])
      }
    }
  }

  @Test("a method is told that its call was reset, or its connection lost, and of no other end")
  func clientLeaves() throws {
    let gone = Atomic<Int>(0)
    let asked = Atomic<Int>(0)
    let server = try ServerFixture(extra: [
      "/test/watched": GRPCMethod { call, reply in
        call.whenGone { gone.add(1, ordering: .relaxed) }
        asked.add(1, ordering: .relaxed)
        // Kept until the client has left, whoever asks with a message is answered.
        if call.message.isEmpty {
          _ = Thread {
            while gone.load(ordering: .relaxed) < 2 { usleep(500) }
            reply(.message(ServerFixture.room))
          }
        } else {
          reply(.message(ServerFixture.room))
        }
      }
    ])
    do {
      let client = try TestClient(server.path)
      #expect(try client.call("/test/watched", [1]).code == .ok)
      let call = client.start("/test/watched", [TestClient.framed([])])
      while asked.load(ordering: .relaxed) < 2 { usleep(500) }
      #expect(gone.load(ordering: .relaxed) == 0)
      try client.reset(call.id)
      #expect(eventually { gone.load(ordering: .relaxed) == 1 })
      _ = client.start("/test/watched", [TestClient.framed([])])
      while asked.load(ordering: .relaxed) < 3 { usleep(500) }
    }
    #expect(eventually { gone.load(ordering: .relaxed) == 2 })
  }

  @Test("a failure has a code, a percent-encoded message, and a pause when there is one")
  func failure() throws {
    let server = try ServerFixture()
    let answer = try TestClient(server.path).call("/test/fail", [])
    #expect(answer.code == .notFound)
    #expect(answer.trailers["grpc-message"] == "50%25 of \"gr%C3%B6%C3%9Fe\"%0A")
    #expect(answer.trailers["grpc-retry-pushback-ms"] == "7")
    #expect(answer.trailers[":status"] == "200")
    #expect(answer.messages.isEmpty)
  }

  @Test("a call that a method drops fails, and the connection goes on")
  func dropped() throws {
    let server = try ServerFixture()
    let client = try TestClient(server.path)
    #expect(try client.call("/test/drop", []).code == .internal)
    #expect(try client.call("/test/echo", [1]).code == .ok)
  }

  @Test("what is no gRPC is answered with a bare status; unknown methods are named")
  func notGRPC() throws {
    let server = try ServerFixture()
    let client = try TestClient(server.path)
    #expect(try client.start("/test/echo", [], method: "GET").answer.wait().trailers[":status"] == "405")
    let json = client.start("/test/echo", [TestClient.framed([])], contentType: "application/json")
    #expect(try json.answer.wait().trailers[":status"] == "415")
    let other = client.start("/test/echo", [], contentType: "application/grpc+json")
    #expect(try other.answer.wait().trailers[":status"] == "415")
    let typed = client.start(
      "/test/echo", [TestClient.framed([])], contentType: "application/grpc+proto")
    #expect(try typed.answer.wait().code == .ok)
    let unknown = try client.call("/test/absent", [])
    #expect(unknown.code == .unimplemented)
    #expect(unknown.trailers["grpc-message"] == "unknown method /test/absent")
  }

  @Test("gzip is read within the limits, and the encodings that are taken are named")
  func compression() throws {
    var limits = GRPCLimits()
    limits.messageBytesMaximum = 1000
    let server = try ServerFixture(limits: limits)
    let client = try TestClient(server.path)
    func gzip(_ message: [UInt8], flag: UInt8 = 1) throws -> Answer {
      let framed = TestClient.framed(message, flag: flag)
      return try client.start("/test/echo", [framed], headers: [("grpc-encoding", "gzip")])
        .answer.wait()
    }
    #expect(try gzip(Gzipped.stored([4, 5, 6])).messages == [[4, 5, 6]])
    #expect(try gzip([4, 5, 6], flag: 0).messages == [[4, 5, 6]])
    #expect(try gzip([1, 2, 3]).code == .internal)
    var bomb = Gzipped.stored([1])
    bomb[bomb.count - 3] = 4
    #expect(try gzip(bomb).code == .resourceExhausted)
    let answer = try client.call("/test/echo", [1], headers: [("grpc-encoding", "deflate")])
    #expect(answer.code == .unimplemented)
    #expect(answer.trailers["grpc-accept-encoding"] == "identity,gzip")
    #expect(try client.call("/test/echo", [1], headers: [("grpc-encoding", "identity")]).code == .ok)
    let flagged = client.start("/test/echo", [TestClient.framed([1], flag: 1)])
    #expect(try flagged.answer.wait().code == .internal)
  }

  @Test("a large message is read on another thread, and no other call waits for it")
  func readElsewhere() throws {
    let (desk, budget) = (Desk(), Budget(1_000_000))
    var limits = GRPCLimits()
    limits.memory = budget
    limits.messageBytesInline = 1000
    limits.compute = { desk.take($0) }
    let server = try ServerFixture(limits: limits)
    var client: TestClient? = try TestClient(server.path)
    let other = try TestClient(server.path)
    let large = [UInt8](repeating: 3, count: 1001)
    func start(_ message: [UInt8], flag: UInt8 = 0) throws -> EventLoopFuture<Answer> {
      try #require(client).start(
        "/test/echo", [TestClient.framed(message, flag: flag)],
        headers: [("grpc-encoding", "gzip")]
      ).answer
    }
    let answers = [try start(large), try start(Gzipped.stored(large), flag: 1)]
    #expect(eventually { desk.count == 2 })
    #expect(try client?.call("/test/echo", Array(large.dropLast())).code == .ok)
    #expect(try other.call("/test/echo", [1]).code == .ok)
    desk.run()
    for answer in answers { #expect(try answer.wait().messages == [large]) }
    var broken = Gzipped.stored(large)
    broken[broken.count - 8] ^= 1
    let failed = try start(broken, flag: 1)
    #expect(eventually { desk.count == 1 })
    desk.run()
    #expect(try failed.wait().code == .internal)
    #expect(limits.refusals.all == [.malformed: 1])
    // A client that leaves meanwhile harms nobody, and is paid for until its request is gone.
    _ = try start(large)
    #expect(eventually { desk.count == 1 })
    client = nil
    let held = limits.callBytes + limits.messageCopies * large.count
    #expect(eventually { budget.taken == limits.connectionBytes + held })
    desk.run()
    #expect(eventually { budget.taken == limits.connectionBytes })
    #expect(try other.call("/test/echo", [1]).code == .ok)
  }

  @Test("broken framing fails the call alone")
  func framing() throws {
    let server = try ServerFixture()
    let client = try TestClient(server.path)
    for pieces in [
      [], [[0, 0, 0]], [[0, 0, 0, 0, 4, 1]], [TestClient.framed([1]) + TestClient.framed([2])],
      [TestClient.framed([1], flag: 2)],
    ] {
      #expect(try client.start("/test/echo", pieces).answer.wait().code == .internal, "\(pieces)")
    }
    #expect(try client.call("/test/echo", [1]).code == .ok)
  }

  @Test("a message above the limit is refused by its prefix; the client is told to stop sending")
  func tooLarge() throws {
    var limits = GRPCLimits()
    limits.messageBytesMaximum = 1000
    let server = try ServerFixture(limits: limits)
    let client = try TestClient(server.path)
    #expect(try client.call("/test/echo", [UInt8](repeating: 1, count: 1000)).code == .ok)
    let refused = client.start("/test/echo", [[0, 0, 0, 3, 0xE9]], ends: false)
    let answer = try refused.answer.wait()
    #expect(answer.code == .resourceExhausted)
    #expect(answer.trailers["grpc-message"] == "The message of 1001 bytes is larger than the maximum, 1000.")
    #expect(try client.call("/test/echo", [1]).code == .ok)
  }

  @Test("the largest message follows what is asked about it, on a connection that is open already")
  func largerMessages() throws {
    let largest = Largest()
    var limits = GRPCLimits()
    limits.largerMessages = { largest.bytes.load(ordering: .relaxed) }
    let server = try ServerFixture(limits: limits)
    let client = try TestClient(server.path)
    let message = [UInt8](repeating: 1, count: 3_000_000)
    #expect(try client.call("/test/echo", message).code == .resourceExhausted)
    largest.bytes.store(3_000_000, ordering: .relaxed)
    #expect(try client.call("/test/echo", message).messages == [message])
    let refused = try client.call("/test/echo", message + [1])
    let text = "The message of 3000001 bytes is larger than the maximum, 3000000."
    #expect(refused.trailers["grpc-message"] == text)
  }

  private final class Largest: Sendable { let bytes = Atomic<Int>(0) }

  @Test("metadata above the limit end the connection")
  func metadata() throws {
    let server = try ServerFixture()
    let client = try TestClient(server.path)
    let long = String(repeating: "x", count: 20_000)
    let answer = try client.call("/test/echo", [1], headers: [("x-long", long)])
    #expect(answer.code != .ok)
    #expect(try TestClient(server.path).call("/test/echo", [1]).code == .ok)
  }

  @Test("a deadline that passes is answered so, whether the method answers or not")
  func deadlines() throws {
    var limits = GRPCLimits()
    limits.tickMilliseconds = 10
    let held = Held()
    let server = try ServerFixture(limits: limits, extra: ["/test/never": held.method])
    let client = try TestClient(server.path)
    let answer = try client.call("/test/never", [], headers: [("grpc-timeout", "30m")])
    #expect(answer.code == .deadlineExceeded)
    held.release()
    let left = try client.call("/test/left", [], headers: [("grpc-timeout", "90S")])
    #expect((89_000...90_000).contains(Int(String(decoding: left.messages[0], as: UTF8.self))!))
    #expect(try client.call("/test/left", []).messages == [Array("-1".utf8)])
    #expect(try client.call("/test/left", [], headers: [("grpc-timeout", "99999999H")]).code == .ok)
    for wrong in ["", "S", "1", "1s", "123456789S", "-1S", "1.5S"] {
      let answer = try client.call("/test/left", [], headers: [("grpc-timeout", wrong)])
      #expect(answer.code == .invalidArgument, "\(wrong)")
    }
  }

  @Test("a call that the client resets is forgotten; its late answer harms nobody")
  func cancellation() throws {
    let held = Held()
    let server = try ServerFixture(extra: ["/test/never": held.method])
    let client = try TestClient(server.path)
    let call = client.start("/test/never", [TestClient.framed([])])
    #expect(eventually { held.count == 1 })
    try client.reset(call.id)
    _ = try call.answer.wait()
    held.release()
    #expect(try client.call("/test/echo", [1]).code == .ok)
  }

  @Test("news come when there are some, until the client leaves")
  func news() throws {
    var limits = GRPCLimits()
    limits.tickMilliseconds = 5
    let counter = Counter()
    let news = GRPCMethod { _, reply in
      reply(.news { counter.next().map { ServerFixture.room + [$0] } })
    }
    let server = try ServerFixture(limits: limits, extra: ["/test/news": news])
    let client = try TestClient(server.path)
    let call = client.start("/test/news", [TestClient.framed([])])
    #expect(try eventually { try client.partial(call.id).messages == [[1], [3], [5]] })
    try client.reset(call.id)
    let calls = counter.calls
    usleep(50_000)
    #expect(counter.calls <= calls + 1)
  }

  @Test("the caller's credentials are known")
  func peer() throws {
    let server = try ServerFixture()
    let answer = try TestClient(server.path).call("/test/peer", [])
    #expect(answer.messages == [Array("\(getuid())".utf8)])
  }

  @Test("costly calls can be refused, others not")
  func limited() throws {
    let server = try ServerFixture(refuse: { _ in
      GRPCStatus(.resourceExhausted, "too many", retryMilliseconds: 3)
    })
    let client = try TestClient(server.path)
    let answer = try client.call("/test/echo", [1])
    #expect(answer.code == .resourceExhausted)
    #expect(answer.trailers["grpc-retry-pushback-ms"] == "3")
    #expect(try client.call("/test/left", []).code == .ok)
  }

  @Test("connections and requests are paid for, and given back")
  func memory() throws {
    let budget = Budget(1_000_000)
    var limits = GRPCLimits()
    limits.memory = budget
    limits.messageBytesMaximum = 1 << 20
    let server = try ServerFixture(limits: limits)
    var client: TestClient? = try TestClient(server.path)
    #expect(try client?.call("/test/echo", [1]).code == .ok)
    #expect(eventually { budget.taken == limits.connectionBytes })
    let large = try client?.call("/test/echo", [UInt8](repeating: 1, count: 600_000))
    #expect(large?.code == .resourceExhausted)
    #expect(try client?.call("/test/echo", [UInt8](repeating: 1, count: 200_000)).code == .ok)
    #expect(eventually { budget.taken == limits.connectionBytes })
    client = nil
    #expect(eventually { budget.taken == 0 })
  }

  @Test(
    "connections above the limit, and such that the budget does not hold, are sent away",
    arguments: [1, 2])
  func tooManyConnections(threads: Int) throws {
    var limits = GRPCLimits()
    limits.connectionsMaximum = 1
    let server = try ServerFixture(limits: limits, threads: threads)
    let first = try TestClient(server.path)
    #expect(try first.call("/test/echo", [1]).code == .ok)
    // On each of the threads.
    for _ in 0..<threads {
      let second = try TestClient(server.path)
      #expect(eventually { second.farewell == .enhanceYourCalm })
    }
    #expect(try first.call("/test/echo", [1]).code == .ok)
    limits.memory = Budget(100)
    let poor = try ServerFixture(limits: limits, threads: threads)
    let third = try TestClient(poor.path)
    #expect(eventually { third.farewell == .enhanceYourCalm })
  }

  @Test("a shutdown lets calls under way end, and says farewell")
  func drain() throws {
    let held = Held()
    let server = try ServerFixture(extra: ["/test/never": held.method])
    let client = try TestClient(server.path)
    let call = client.start("/test/never", [TestClient.framed([])])
    #expect(eventually { held.count == 1 })
    let running = server.server
    let stopper = Thread { running.shutdown(drainMilliseconds: 5_000) }
    #expect(eventually { client.farewell == .noError })
    #expect(held.count == 1)
    held.release()
    let answer = try call.answer.wait()
    #expect(answer.code == .ok, "\(answer)")
    stopper.join()
  }

  @Test("a client that leaves its request half sent is answered, an idle one sent away")
  func slow() throws {
    var limits = GRPCLimits()
    limits.requestMilliseconds = 30
    limits.idleMilliseconds = 200
    limits.tickMilliseconds = 10
    let server = try ServerFixture(limits: limits)
    let client = try TestClient(server.path)
    let call = client.start("/test/echo", [[0, 0]], ends: false)
    #expect(try call.answer.wait().code == .deadlineExceeded)
    #expect(eventually { client.farewell == .noError })
  }
}
