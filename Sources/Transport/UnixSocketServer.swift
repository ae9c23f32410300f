internal import Glibc
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// A listening socket and its connections, whatever they speak: a Unix socket, or a port of this
/// machine that nobody beyond it can reach.
package final class UnixSocketServer<Connection: ManagedConnection>: Sendable {
  package let path: String
  /// Nil for a port.
  private let file: UnixSocketFile?
  private let channel: any Channel
  /// One for each thread.
  private let registries: [NIOLoopBound<ConnectionRegistry<Connection>>]
  private let isDown = Atomic<Bool>(false)

  /// Binds the socket file and begins to accept.
  ///
  /// - Parameters:
  ///   - place: Where it listens, and who may come.
  ///   - thread: Does the I/O; must outlive the server. Where it is several, the first one accepts.
  ///   - connectionsMaximum: Connections at the same time.
  ///   - tickMilliseconds: How often the time of each connection is looked after.
  ///   - allowsHalfClosure: Whether a client may end its side and still be answered.
  ///   - prepare: Fills the pipeline of a new channel, on its event-loop thread.
  package convenience init(
    at place: SocketPlace, thread: EventLoopThread, connectionsMaximum: Int,
    tickMilliseconds: Int, allowsHalfClosure: Bool,
    prepare:
      @escaping @Sendable (any Channel, ConnectionRegistry<Connection>) throws -> Void
  ) throws(TransportError) {
    let file = try UnixSocketFile(place)
    try self.init(
      path: place.path, file: file, thread: thread, connectionsMaximum: connectionsMaximum,
      tickMilliseconds: tickMilliseconds, allowsHalfClosure: allowsHalfClosure, prepare: prepare,
      bind: { $0.withBoundSocket(file.duplicate()) })
  }

  /// Binds a port of this machine and begins to accept; parameters as for a Unix socket.
  package convenience init(
    at place: LoopbackPlace, thread: EventLoopThread, connectionsMaximum: Int,
    tickMilliseconds: Int, allowsHalfClosure: Bool,
    prepare:
      @escaping @Sendable (any Channel, ConnectionRegistry<Connection>) throws -> Void
  ) throws(TransportError) {
    try self.init(
      path: place.description, file: nil, thread: thread,
      connectionsMaximum: connectionsMaximum, tickMilliseconds: tickMilliseconds,
      allowsHalfClosure: allowsHalfClosure, prepare: prepare,
      bind: { bootstrap in
        bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
          .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
          .bind(host: place.address, port: place.port)
      })
  }

  private init(
    path: String, file: UnixSocketFile?, thread: EventLoopThread, connectionsMaximum: Int,
    tickMilliseconds: Int, allowsHalfClosure: Bool,
    prepare:
      @escaping @Sendable (any Channel, ConnectionRegistry<Connection>) throws -> Void,
    bind: (ServerBootstrap) -> EventLoopFuture<any Channel>
  ) throws(TransportError) {
    let loops = thread.loops
    let count = ConnectionCount(maximum: connectionsMaximum)
    do {
      let registries = try loops.map { loop in
        try loop.submit {
          NIOLoopBound(
            ConnectionRegistry<Connection>(
              count: count, tickMilliseconds: tickMilliseconds, loop: loop),
            eventLoop: loop)
        }.wait()
      }
      let bootstrap = ServerBootstrap(group: loops[0], childGroup: thread.group)
        .serverChannelOption(.backlog, value: SocketPlace.backlogMaximum)
        .childChannelOption(.allowRemoteHalfClosure, value: allowsHalfClosure)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            for registry in registries where registry.eventLoop === channel.eventLoop {
              try prepare(channel, registry.value)
            }
          }
        }
      channel = try bind(bootstrap).wait()
      self.registries = registries
    } catch {
      file?.remove()
      let number = (error as? IOError)?.errnoCode ?? EIO
      throw .cannotListen(path: path, call: "listen", errno: number)
    }
    self.path = path
    self.file = file
  }

  /// The port; nil for a Unix socket.
  package var port: Int? { channel.localAddress?.port }

  /// Stops accepting, lets what is under way finish for up to `drainMilliseconds`, closes what is
  /// left and removes the socket file. Blocks until done; a second call does nothing.
  ///
  /// - Precondition: not called on an event-loop thread.
  package func shutdown(drainMilliseconds: Int) {
    guard !isDown.exchange(true, ordering: .relaxed) else { return }
    precondition(registries.allSatisfy { !$0.eventLoop.inEventLoop })
    file?.remove()
    try? channel.close().wait()
    let drained = registries.map { Self.drain($0, milliseconds: drainMilliseconds) }
    for connections in drained { try? connections.wait() }
  }

  private static func drain(
    _ registry: NIOLoopBound<ConnectionRegistry<Connection>>, milliseconds: Int
  ) -> EventLoopFuture<Void> {
    let loop = registry.eventLoop
    return loop.flatSubmit {
      let drained = registry.value.drain()
      let bound = loop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
        registry.value.closeAll()
      }
      drained.whenComplete { _ in bound.cancel() }
      return drained
    }
  }
}
