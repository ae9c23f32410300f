import Glibc
import Serving
import Transport

/// Opens the sockets of the agent.
struct AgentSockets {
  /// Users and groups that may send requests.
  private static let dataMode: mode_t = 0o660
  /// Only the user of the agent may ask how it is.
  private static let adminMode: mode_t = 0o600
  /// The same, and the group that was configured.
  private static let adminGroupMode: mode_t = 0o660

  private let configuration: AgentConfiguration
  private let thread: EventLoopThread
  private let memory: any ConnectionMemory
  private let limiter: RateLimiter
  private let inherited: InheritedSockets
  private let refusals: TransportRefusals
  private let bounds: RequestBounds

  init(
    _ configuration: AgentConfiguration, _ thread: EventLoopThread, _ memory: any ConnectionMemory,
    _ limiter: RateLimiter, _ refusals: TransportRefusals, _ inherited: InheritedSockets,
    _ bounds: RequestBounds
  ) {
    self.bounds = bounds
    self.refusals = refusals
    self.configuration = configuration
    self.thread = thread
    self.memory = memory
    self.limiter = limiter
    self.inherited = inherited
  }

  /// The servers of requests and of the administration.
  struct Servers {
    var data: UnixHTTPServer
    /// On a port; nil for none.
    var port: UnixHTTPServer?
    var admin: UnixHTTPServer
  }

  func open(routes: [HTTPRoutes], admin: AdminRoutes) throws(AgentError) -> Servers {
    var limits = HTTPLimits()
    limits.bodyBound = { [bounds] method, path in bounds.body(method, path) }
    limits.expandedBytesInline = AgentLimits.bodyBytesInline
    limits.compute = { [bounds] in bounds.service.compute($0) }
    limits.memory = memory
    limits.refusals = refusals.http
    // The admin socket answers whatever the budget; its bound is part of what is charged.
    var adminLimits = HTTPLimits()
    adminLimits.connectionsMaximum = AgentLimits.adminConnectionsMaximum
    adminLimits.bodyBytesMaximum = AgentLimits.adminBodyBytesMaximum
    let handler: HTTPHandler = { [limiter, bounds] request, respond in
      if limiter.refuse(request, respond) { return }
      guard request.body.count > AgentLimits.bodyBytesInline else {
        return Self.answer(request, routes, respond)
      }
      // Others would wait while it is read.
      bounds.service.compute { Self.answer(request, routes, respond) }
    }
    let data = try serve(
      try place(configuration.socket, Self.dataMode, configuration.socketGroup), limits,
      handler: handler)
    var port: UnixHTTPServer?
    do throws(AgentError) {
      port = try openPort(limits, handler)
      return Servers(
        data: data, port: port,
        admin: try serve(
          try place(
            configuration.adminSocket,
            configuration.adminSocketGroup == nil ? Self.adminMode : Self.adminGroupMode,
            configuration.adminSocketGroup), adminLimits,
          handler: { admin.handle($0, $1) }))
    } catch {
      data.shutdown(drainMilliseconds: 0)
      port?.shutdown(drainMilliseconds: 0)
      throw error
    }
  }

  private static func answer(
    _ request: HTTPRequest, _ routes: [HTTPRoutes],
    _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    for route in routes where route(request, respond) { return }
    respond(.error(404, "no such path"))
  }

  private func openPort(
    _ limits: HTTPLimits, _ handler: @escaping HTTPHandler
  ) throws(AgentError) -> UnixHTTPServer? {
    guard let tcp = configuration.tcp else { return nil }
    let place = try tcp.place()
    var limits = limits
    limits.token = try tcp.token()
    do throws(TransportError) {
      return try UnixHTTPServer(at: place, limits: limits, thread: thread, handler: handler)
    } catch {
      throw .socket(path: place.description, reason: error.sentence)
    }
  }

  /// Opens the socket on which apps hand over memory, when one is configured.
  func openMemory(_ service: InferenceService) throws(AgentError) -> MemorySocket? {
    guard let path = configuration.memorySocket else { return nil }
    let place = try place(path, Self.dataMode, configuration.socketGroup)
    let listener: PacketListener
    do throws(TransportError) {
      listener = try PacketListener(at: place)
    } catch {
      throw .socket(path: path, reason: error.sentence)
    }
    return try MemorySocket(listener, service.regions, memory)
  }

  /// Opens the socket of remote procedure calls, when one is configured.
  func openRemoteCalls(
    _ parts: Agent.Parts, _ service: InferenceService, _ administration: LocalAdministration
  ) throws(AgentError) -> (any RemoteCallServer)? {
    guard let path = configuration.grpcSocket else { return nil }
    guard let open = parts.remoteCalls else {
      throw .invalidValue(
        key: "grpc_socket", value: path, expected: "left out: this build has no gRPC")
    }
    let settings = RemoteCallSettings(
      place: try place(path, Self.dataMode, configuration.socketGroup),
      messageBytes: { [bounds] in bounds.messageBytes() },
      messageBytesInline: AgentLimits.bodyBytesInline,
      memory: memory, refusals: refusals.grpc, thread: thread, service: service,
      pause: { [limiter] peer in limiter.pause(peer) }, administration: administration)
    do throws(TransportError) {
      return try open(settings)
    } catch {
      throw .socket(path: path, reason: error.sentence)
    }
  }

  /// The directory is made when it is missing.
  private func place(
    _ path: String, _ mode: mode_t, _ group: String?
  ) throws(AgentError) -> SocketPlace {
    try Directories.make(Directories.parent(of: path))
    return SocketPlace(
      path: path, mode: mode,
      group: try group.map { name throws(AgentError) in try GroupDatabase.number(of: name) },
      inherited: inherited)
  }

  private func serve(
    _ place: SocketPlace, _ limits: HTTPLimits, handler: @escaping HTTPHandler
  ) throws(AgentError) -> UnixHTTPServer {
    do throws(TransportError) {
      return try UnixHTTPServer(
        at: place, limits: limits, thread: thread, handler: handler)
    } catch {
      throw .socket(path: place.path, reason: error.sentence)
    }
  }
}

/// What the sockets of requests refused before anybody was asked.
struct TransportRefusals: Sendable {
  let http = RefusalCounter()
  let grpc = RefusalCounter()
}

/// Makes directories that are missing.
package enum Directories {
  /// All of `path` up to its last `/`; `.` when there is none.
  package static func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Makes `path` and its parents; those that exist are left as they are.
  package static func make(_ path: String) throws(AgentError) {
    if PathKind(path) == .directory { return }
    if unsafe mkdir(path, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, path != "/", path != "." else {
      throw .directory(path: path, errno: errno)
    }
    try make(parent(of: path))
    if unsafe mkdir(path, 0o755) != 0, errno != EEXIST {
      throw .directory(path: path, errno: errno)
    }
  }
}
