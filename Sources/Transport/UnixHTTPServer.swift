internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// An HTTP/1.1 server on a Unix socket: keep-alive, pipelining answered in order, every resource
/// bounded by `HTTPLimits`.
package final class UnixHTTPServer: Sendable {
  package let path: String
  private let file: UnixSocketFile
  private let channel: any Channel
  private let registry: NIOLoopBound<ConnectionRegistry>
  private let isDown = Atomic<Bool>(false)

  /// Binds the socket file and begins to answer.
  ///
  /// - Parameters:
  ///   - place: Where it listens, and who may come.
  ///   - thread: Does the I/O and calls `handler`; must outlive the server.
  package init(
    at place: SocketPlace, limits: HTTPLimits = HTTPLimits(), thread: EventLoopThread,
    handler: @escaping HTTPHandler
  ) throws(TransportError) {
    let file = try UnixSocketFile(place)
    let loop = thread.group.next()
    do {
      let registry = try loop.submit {
        NIOLoopBound(
          ConnectionRegistry(limits: limits, handler: handler, loop: loop), eventLoop: loop)
      }.wait()
      channel = try Self.bootstrap(limits: limits, loop: loop, registry: registry)
        .withBoundSocket(file.duplicate()).wait()
      self.registry = registry
    } catch {
      file.remove()
      let number = (error as? IOError)?.errnoCode ?? EIO
      throw .cannotListen(path: place.path, call: "listen", errno: number)
    }
    path = place.path
    self.file = file
  }

  /// Stops accepting, lets requests under way finish for up to `drainMilliseconds`, closes what
  /// is left and removes the socket file. Blocks until done; a second call does nothing.
  ///
  /// - Precondition: not called on the event-loop thread.
  package func shutdown(drainMilliseconds: Int) {
    guard !isDown.exchange(true, ordering: .relaxed) else { return }
    let loop = channel.eventLoop
    precondition(!loop.inEventLoop)
    file.remove()
    try? channel.close().wait()
    let registry = registry
    let drained = loop.flatSubmit {
      let drained = registry.value.drain()
      let bound = loop.scheduleTask(in: .milliseconds(Int64(drainMilliseconds))) {
        registry.value.closeAll()
      }
      drained.whenComplete { _ in bound.cancel() }
      return drained
    }
    try? drained.wait()
  }

  private static func bootstrap(
    limits: HTTPLimits, loop: any EventLoop, registry: NIOLoopBound<ConnectionRegistry>
  ) -> ServerBootstrap {
    var decoderLimits = NIOHTTPDecoderLimitConfiguration()
    decoderLimits.maxHeaderFieldSize = limits.fieldBytesMaximum
    decoderLimits.maxHeaderListSize = limits.headerBytesMaximum
    decoderLimits.maxHeaderFieldCount = limits.headerCountMaximum
    let configuration = decoderLimits
    return ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: SocketPlace.backlogMaximum)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let decoder = HTTPRequestDecoder(
            leftOverBytesStrategy: .dropBytes, limitConfiguration: configuration)
          try channel.pipeline.syncOperations.addHandlers(
            ByteToMessageHandler(decoder), HTTPConnection(registry: registry.value))
        }
      }
  }
}
