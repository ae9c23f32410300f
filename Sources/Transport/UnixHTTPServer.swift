internal import NIOCore
internal import NIOHTTP1

/// An HTTP/1.1 server on a Unix socket, or on a port of this machine: keep-alive, pipelining
/// answered in order, every resource bounded by `HTTPLimits`.
package final class UnixHTTPServer: Sendable {
  private let server: UnixSocketServer<HTTPConnection>

  package var path: String { server.path }

  /// Binds the socket file and begins to answer.
  ///
  /// - Parameters:
  ///   - place: Where it listens, and who may come.
  ///   - thread: Does the I/O and calls `handler`; must outlive the server.
  package init(
    at place: SocketPlace, limits: HTTPLimits = HTTPLimits(), thread: EventLoopThread,
    handler: @escaping HTTPHandler
  ) throws(TransportError) {
    server = try UnixSocketServer(
      at: place, thread: thread, connectionsMaximum: limits.connectionsMaximum,
      tickMilliseconds: limits.tickMilliseconds, allowsHalfClosure: true,
      prepare: Self.pipeline(limits, handler))
  }

  /// Binds a port of this machine and begins to answer; parameters as for a Unix socket.
  package init(
    at place: LoopbackPlace, limits: HTTPLimits = HTTPLimits(), thread: EventLoopThread,
    handler: @escaping HTTPHandler
  ) throws(TransportError) {
    server = try UnixSocketServer(
      at: place, thread: thread, connectionsMaximum: limits.connectionsMaximum,
      tickMilliseconds: limits.tickMilliseconds, allowsHalfClosure: true,
      prepare: Self.pipeline(limits, handler))
  }

  /// The port; nil on a Unix socket.
  package var port: Int? { server.port }

  private static func pipeline(
    _ limits: HTTPLimits, _ handler: @escaping HTTPHandler
  ) -> @Sendable (any Channel, ConnectionRegistry<HTTPConnection>) throws -> Void {
    var decoderLimits = NIOHTTPDecoderLimitConfiguration()
    decoderLimits.maxHeaderFieldSize = limits.fieldBytesMaximum
    decoderLimits.maxHeaderListSize = limits.headerBytesMaximum
    decoderLimits.maxHeaderFieldCount = limits.headerCountMaximum
    let configuration = decoderLimits
    return { channel, registry in
      let decoder = HTTPRequestDecoder(
        leftOverBytesStrategy: .dropBytes, limitConfiguration: configuration)
      try channel.pipeline.syncOperations.addHandlers(
        ByteToMessageHandler(decoder),
        HTTPConnection(registry: registry, limits: limits, handler: handler))
    }
  }

  /// Stops accepting, lets requests under way finish for up to `drainMilliseconds`, closes what
  /// is left and removes the socket file. Blocks until done; a second call does nothing.
  ///
  /// - Precondition: not called on the event-loop thread.
  package func shutdown(drainMilliseconds: Int) {
    server.shutdown(drainMilliseconds: drainMilliseconds)
  }
}
