internal import Glibc
internal import NIOCore
internal import NIOHTTP2
internal import NIOPosix
internal import Synchronization
package import Transport

/// A gRPC server on a Unix socket: HTTP/2 with prior knowledge, calls of one request each, every
/// resource bounded by `GRPCLimits`.
package final class UnixGRPCServer: Sendable {
  package let path: String
  private let file: UnixSocketFile
  private let channel: any Channel
  private let registry: NIOLoopBound<GRPCConnections>
  private let isDown = Atomic<Bool>(false)

  /// Binds the socket file and begins to answer.
  ///
  /// - Parameters:
  ///   - place: Where it listens, and who may come.
  ///   - thread: Does the I/O and calls the methods; must outlive the server.
  ///   - methods: By their paths, `/package.Service/Method`.
  ///   - refuse: Why a caller may not make one more costly call now; nil when it may.
  package init(
    at place: SocketPlace, limits: GRPCLimits = GRPCLimits(), thread: EventLoopThread,
    methods: [String: GRPCMethod],
    refuse: @escaping @Sendable (PeerCredentials?) -> GRPCStatus? = { _ in nil }
  ) throws(TransportError) {
    let file = try UnixSocketFile(place)
    let loop = thread.group.next()
    do {
      let registry = try loop.submit {
        NIOLoopBound(
          GRPCConnections(limits: limits, methods: methods, refuse: refuse, loop: loop),
          eventLoop: loop)
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

  /// Stops accepting, lets calls under way finish for up to `drainMilliseconds`, closes what is
  /// left and removes the socket file. Blocks until done; a second call does nothing.
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
    limits: GRPCLimits, loop: any EventLoop, registry: NIOLoopBound<GRPCConnections>
  ) -> ServerBootstrap {
    ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: SocketPlace.backlogMaximum)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let connection = GRPCConnection(registry: registry.value)
          try channel.pipeline.syncOperations.addHandlers(http2(limits, connection), connection)
        }
      }
  }

  private static func http2(
    _ limits: GRPCLimits, _ delegate: GRPCConnection
  ) -> NIOHTTP2Handler {
    let window = TimeAmount.milliseconds(Int64(limits.rateWindowMilliseconds))
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    connection.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.callsMaximum),
      HTTP2Setting(parameter: .maxHeaderListSize, value: limits.metadataBytesMaximum),
      HTTP2Setting(parameter: .initialWindowSize, value: limits.streamWindow),
      HTTP2Setting(parameter: .maxFrameSize, value: limits.frameBytesMaximum),
    ]
    connection.controlFrameRateLimit.maximumCount = limits.controlFramesMaximum
    connection.controlFrameRateLimit.windowLength = window
    var stream = NIOHTTP2Handler.StreamConfiguration()
    stream.streamResetFrameRateLimit.maximumCount = limits.resetsMaximum
    stream.streamResetFrameRateLimit.windowLength = window
    return NIOHTTP2Handler(
      mode: .server, frameDelegate: delegate, connectionConfiguration: connection,
      streamConfiguration: stream)
  }
}
