import GRPC
import Glibc
import Synchronization
import Transport

private let socketCounter = Atomic<Int>(0)

/// A running server that is shut down with this object.
final class ServerFixture {
  let thread: EventLoopThread
  let server: UnixGRPCServer
  var path: String { server.path }

  /// Answers `/test/echo` with the request, `/test/never` not at all, `/test/large` with 12 MB, and
  /// `/test/fail` with a status; drops `/test/drop`; `/test/news` counts.
  init(
    limits: GRPCLimits = GRPCLimits(), threads: Int = 1, extra: [String: GRPCMethod] = [:],
    refuse: @escaping @Sendable (PeerCredentials?) -> GRPCStatus? = { _ in nil }
  ) throws {
    thread = EventLoopThread(threads: threads)
    let number = socketCounter.add(1, ordering: .relaxed).newValue
    server = try UnixGRPCServer(
      at: SocketPlace(path: "/tmp/edgeserve-grpc-\(getpid())-\(number).sock", mode: 0o600),
      limits: limits, thread: thread, methods: Self.methods.merging(extra) { $1 }, refuse: refuse)
  }

  deinit {
    server.shutdown(drainMilliseconds: 200)
    thread.shutdown()
  }

  /// How long the client still waits, in milliseconds rounded up; -1 for ever.
  private static func remaining(_ call: GRPCCall) -> Int {
    guard let deadline = call.deadline else { return -1 }
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let now = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    return now >= deadline ? 0 : Int((deadline - now + 999_999) / 1_000_000)
  }

  static let room = [UInt8](repeating: 0, count: GRPCFraming.prefixBytes)

  private static let methods: [String: GRPCMethod] = [
    "/test/echo": GRPCMethod(isCostly: true) { call, reply in reply(.message(room + call.message)) },
    "/test/drop": GRPCMethod { _, _ in },
    "/test/fail": GRPCMethod { _, reply in
      reply(.failure(GRPCStatus(.notFound, "50% of \"größe\"\n", retryMilliseconds: 7)))
    },
    "/test/large": GRPCMethod { _, reply in
      reply(.message(room + [UInt8](repeating: 7, count: 12_000_000)))
    },
    "/test/peer": GRPCMethod { call, reply in
      reply(.message(room + Array("\(call.peer?.userID ?? .max)".utf8)))
    },
    "/test/left": GRPCMethod { call, reply in
      reply(.message(room + Array("\(remaining(call))".utf8)))
    },
  ]
}

/// A budget that connections and calls are paid from.
final class Budget: ConnectionMemory {
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

/// Waits up to five seconds.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<5000 {
    if try condition() { return true }
    usleep(1000)
  }
  return false
}
