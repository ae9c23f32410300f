internal import NIOCore
internal import Transport

/// The open connections of one server and the clock that looks after them.
///
/// Confined to the event-loop thread.
final class GRPCConnections {
  let limits: GRPCLimits
  let methods: [String: GRPCMethod]
  /// Why a caller may not make one more costly call now; nil when it may.
  let refuse: @Sendable (PeerCredentials?) -> GRPCStatus?
  private var isDraining = false
  private let loop: any EventLoop
  private var connections: [ObjectIdentifier: GRPCConnection] = [:]
  private var ticks: RepeatedTask?
  private var emptied: EventLoopPromise<Void>?

  init(
    limits: GRPCLimits, methods: [String: GRPCMethod],
    refuse: @escaping @Sendable (PeerCredentials?) -> GRPCStatus?, loop: any EventLoop
  ) {
    self.limits = limits
    self.methods = methods
    self.refuse = refuse
    self.loop = loop
  }

  /// Whether the server has room; a connection that is refused is not kept.
  func admit(_ connection: GRPCConnection) -> Bool {
    guard !isDraining, connections.count < limits.connectionsMaximum else { return false }
    connections[ObjectIdentifier(connection)] = connection
    startTicking()
    return true
  }

  func remove(_ connection: GRPCConnection) {
    connections[ObjectIdentifier(connection)] = nil
    guard connections.isEmpty else { return }
    // Nothing to look after: an idle server does not wake the processor.
    ticks?.cancel()
    ticks = nil
    emptied?.succeed()
    emptied = nil
  }

  /// Closes each connection behind its last call; completes when none is left.
  func drain() -> EventLoopFuture<Void> {
    isDraining = true
    let promise = emptied ?? loop.makePromise(of: Void.self)
    guard !connections.isEmpty else {
      promise.succeed()
      return promise.futureResult
    }
    emptied = promise
    for connection in connections.values { connection.drain() }
    return promise.futureResult
  }

  /// Closes every connection, whatever it waits for.
  func closeAll() {
    for connection in connections.values { connection.close() }
  }

  private func startTicking() {
    guard ticks == nil else { return }
    let interval = TimeAmount.milliseconds(Int64(limits.tickMilliseconds))
    let registry = NIOLoopBound(self, eventLoop: loop)
    ticks = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      let now = NIODeadline.now()
      for connection in registry.value.connections.values { connection.tick(now) }
    }
  }
}
