internal import NIOCore
internal import NIOHTTP2
internal import Synchronization

/// Carries the answer of a method back to its call, from whichever thread has it.
final class GRPCResponder: Sendable {
  private let connection: NIOLoopBound<GRPCConnection>
  private let loop: any EventLoop
  private let id: HTTP2StreamID
  private let isAnswered = Atomic<Bool>(false)

  init(_ connection: GRPCConnection, _ id: HTTP2StreamID, loop: any EventLoop) {
    self.connection = NIOLoopBound(connection, eventLoop: loop)
    self.id = id
    self.loop = loop
  }

  deinit {
    guard !isAnswered.load(ordering: .relaxed) else { return }
    let dropped = GRPCReply.failure(GRPCStatus(.internal, "The call was dropped."))
    Self.deliver(dropped, id, to: connection, on: loop)
  }

  /// - Precondition: called once.
  func answer(_ reply: GRPCReply) {
    let before = isAnswered.exchange(true, ordering: .relaxed)
    precondition(!before, "a call was answered twice")
    Self.deliver(reply, id, to: connection, on: loop)
  }

  private static func deliver(
    _ reply: GRPCReply, _ id: HTTP2StreamID, to connection: NIOLoopBound<GRPCConnection>,
    on loop: any EventLoop
  ) {
    if loop.inEventLoop {
      connection.value.complete(id, reply)
    } else {
      loop.execute { connection.value.complete(id, reply) }
    }
  }
}
