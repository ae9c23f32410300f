import Glibc
import KernelDispatch
import OpenInference
import Serving
import Synchronization
import TestSupport
import Transport

/// The Open Inference Protocol over the digits classifier, in this process.
final class ClientAgent {
  let path: String
  private let directory = TemporaryDirectory("edgeserve-client")
  private let thread = EventLoopThread()
  private let manager = ModelManager(ServingConfiguration(table: .best))
  private let server: UnixHTTPServer

  /// - Parameter answer: Answers in place of the protocol; whoever takes the request says true, and may respond later.
  init(
    _ answer: @escaping @Sendable (HTTPRequest, @escaping @Sendable (HTTPResponse) -> Void) -> Bool =
      { _, _ in false }
  ) throws {
    path = directory.path + "/data.sock"
    let routes = OpenInference.Routes(service: manager.service)
    server = try UnixHTTPServer(
      at: SocketPlace(path: path, mode: 0o600), thread: thread
    ) { request, respond in
      if answer(request, respond) || routes.handle(request, respond) { return }
      respond(.error(404, "Not Found"))
    }
    let isDone = Atomic(false)
    manager.load(
      VersionSource(model: "digits", version: 2, path: Fixtures.digitsModel(2))
    ) { _ in isDone.store(true, ordering: .releasing) }
    while !isDone.load(ordering: .acquiring) { sched_yield() }
  }

  deinit {
    server.shutdown(drainMilliseconds: 100)
    thread.shutdown()
    manager.shutdown(drainMilliseconds: 1000)
  }
}
