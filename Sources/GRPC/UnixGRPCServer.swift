internal import NIOCore
internal import NIOHTTP2
package import Transport

/// A gRPC server on a Unix socket: HTTP/2 with prior knowledge, calls of one request each, every
/// resource bounded by `GRPCLimits`.
package final class UnixGRPCServer: Sendable {
  private let server: UnixSocketServer<GRPCConnection>

  package var path: String { server.path }

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
    server = try UnixSocketServer(
      at: place, thread: thread, connectionsMaximum: limits.connectionsMaximum,
      tickMilliseconds: limits.tickMilliseconds, allowsHalfClosure: false
    ) { channel, registry in
      let connection = GRPCConnection(
        registry: registry, limits: limits, methods: methods, refuse: refuse)
      try channel.pipeline.syncOperations.addHandlers(Self.http2(limits, connection), connection)
    }
  }

  /// Stops accepting, lets calls under way finish for up to `drainMilliseconds`, closes what is
  /// left and removes the socket file. Blocks until done; a second call does nothing.
  ///
  /// - Precondition: not called on the event-loop thread.
  package func shutdown(drainMilliseconds: Int) {
    server.shutdown(drainMilliseconds: drainMilliseconds)
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
