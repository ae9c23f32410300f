import Glibc
import Synchronization
import Transport

private let socketCounter = Atomic<Int>(0)

/// A socket path that no other test uses.
func freshSocketPath() -> String {
  let number = socketCounter.add(1, ordering: .relaxed).newValue
  return "/tmp/edgeserve-transport-\(getpid())-\(number).sock"
}

/// A running server that is shut down with this object.
final class ServerFixture {
  let thread: EventLoopThread
  let server: UnixHTTPServer
  var path: String { server.path }

  init(
    limits: HTTPLimits = HTTPLimits(), threads: Int = 1, handler: @escaping HTTPHandler
  ) throws {
    thread = EventLoopThread(threads: threads)
    server = try UnixHTTPServer(
      at: SocketPlace(path: freshSocketPath(), mode: 0o600), limits: limits, thread: thread,
      handler: handler)
  }

  deinit {
    server.shutdown(drainMilliseconds: 1000)
    thread.shutdown()
  }

  /// Answers with method, path, query and body.
  static let echo: HTTPHandler = { request, respond in
    let line = "\(request.method) \(request.path) \(request.query ?? "-")\n"
    respond(HTTPResponse(status: 200, body: Array(line.utf8) + request.body))
  }
}
