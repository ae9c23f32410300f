import Glibc
import KernelDispatch
import OpenInference
import Serving
import Synchronization
import TensorFlowServing
import TestSupport
import Transport

/// Both protocols over real models on one socket.
final class AgentFixture: Sendable {
  struct LoadFailed: Error {
    var model: String
  }

  let manager: ModelManager
  let path: String
  private let directory = TemporaryDirectory("edgeserve-protocols")
  private let thread = EventLoopThread()
  private let server: UnixHTTPServer

  /// half_plus_two 123, digits 1 and 2 with the label `stable` on 1, and `absent`, which is never
  /// loaded. Lives as long as the tests.
  static let shared: AgentFixture = {
    do {
      let fixture = try AgentFixture()
      try fixture.load("half_plus_two", 123, Fixtures.halfPlusTwoModel)
      try fixture.load("digits", 2, Fixtures.digitsModel(2))
      fixture.manager.declare("absent")
      return fixture
    } catch {
      fatalError("\(error)")
    }
  }()

  init() throws {
    manager = ModelManager(ServingConfiguration(table: .best))
    path = directory.path + "/data.sock"
    let tensorFlow = TensorFlowServing.Routes(service: manager.service)
    let openInference = OpenInference.Routes(service: manager.service, serverVersion: "test")
    server = try UnixHTTPServer(
      at: SocketPlace(path: path, mode: 0o600), thread: thread
    ) { request, respond in
      if tensorFlow.handle(request, respond) || openInference.handle(request, respond) { return }
      respond(.error(404, "Not Found"))
    }
  }

  /// Loads a version and waits until it serves.
  func load(_ model: String, _ version: Int64, _ file: String) throws {
    let outcome = Outcome()
    manager.load(VersionSource(model: model, version: version, path: file)) { result in
      switch result {
      case .success: outcome.state.store(1, ordering: .releasing)
      case .failure(let failure):
        print(failure.sentence)
        outcome.state.store(2, ordering: .releasing)
      }
    }
    while outcome.state.load(ordering: .acquiring) == 0 { usleep(500) }
    guard outcome.state.load(ordering: .acquiring) == 1 else { throw LoadFailed(model: model) }
  }

  /// One request with a connection of its own.
  func request(
    _ method: String, _ target: String, headers: [(String, String)] = [], _ body: [UInt8] = []
  ) throws -> HTTPResponse {
    var client = UnixHTTPClient(path: path)
    return try client.request(method: method, path: target, headers: headers, body: body)
  }

  /// Status and body of a request with a text body.
  func ask(_ method: String, _ target: String, _ body: String = "") throws -> Reply {
    let response = try request(method, target, Array(body.utf8))
    return Reply(response.status, String(decoding: response.body, as: UTF8.self))
  }

  private final class Outcome: Sendable {
    let state = Atomic<Int>(0)
  }
}

/// What a client sees of an answer.
struct Reply: Equatable, CustomStringConvertible {
  var status: Int
  var body: String

  init(_ status: Int, _ body: String) {
    self.status = status
    self.body = body
  }

  var description: String { "\(status) \(body)" }
}
