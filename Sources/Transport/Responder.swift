internal import NIOCore
internal import Synchronization

/// Carries one response back to its connection, from whichever thread has it.
final class Responder: Sendable {
  private let connection: NIOLoopBound<HTTPConnection>
  private let loop: any EventLoop
  private let isAnswered = Atomic<Bool>(false)

  init(_ connection: HTTPConnection, loop: any EventLoop) {
    self.connection = NIOLoopBound(connection, eventLoop: loop)
    self.loop = loop
  }

  deinit {
    guard !isAnswered.load(ordering: .relaxed) else { return }
    Self.deliver(.error(500, "The request was dropped."), to: connection, on: loop)
  }

  /// - Precondition: called once.
  func answer(_ response: HTTPResponse) {
    let before = isAnswered.exchange(true, ordering: .relaxed)
    precondition(!before, "a request was answered twice")
    Self.deliver(response, to: connection, on: loop)
  }

  private static func deliver(
    _ response: HTTPResponse, to connection: NIOLoopBound<HTTPConnection>, on loop: any EventLoop
  ) {
    if loop.inEventLoop {
      connection.value.complete(response)
    } else {
      loop.execute { connection.value.complete(response) }
    }
  }
}
