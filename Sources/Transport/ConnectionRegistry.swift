internal import NIOCore

/// The open connections of one server and the clock that ends the slow ones.
///
/// Confined to the event-loop thread.
final class ConnectionRegistry {
  let limits: HTTPLimits
  let handler: HTTPHandler
  private(set) var isDraining = false
  private let loop: any EventLoop
  private var connections: [ObjectIdentifier: HTTPConnection] = [:]
  private var sweep: RepeatedTask?
  private var emptied: EventLoopPromise<Void>?

  init(limits: HTTPLimits, handler: @escaping HTTPHandler, loop: any EventLoop) {
    self.limits = limits
    self.handler = handler
    self.loop = loop
  }

  /// Whether the server has room; a connection that is refused is not kept.
  func admit(_ connection: HTTPConnection) -> Bool {
    guard !isDraining, connections.count < limits.connectionsMaximum else { return false }
    connections[ObjectIdentifier(connection)] = connection
    startSweeping()
    return true
  }

  func remove(_ connection: HTTPConnection) {
    connections[ObjectIdentifier(connection)] = nil
    guard connections.isEmpty else { return }
    // Nothing to watch: an idle server does not wake the processor.
    sweep?.cancel()
    sweep = nil
    emptied?.succeed()
    emptied = nil
  }

  /// Closes idle connections now and the others after their response; completes when none is left.
  func drain() -> EventLoopFuture<Void> {
    isDraining = true
    let promise = emptied ?? loop.makePromise(of: Void.self)
    guard !connections.isEmpty else {
      promise.succeed()
      return promise.futureResult
    }
    emptied = promise
    for connection in connections.values { connection.closeIfIdle() }
    return promise.futureResult
  }

  /// Closes every connection, whatever it waits for.
  func closeAll() {
    for connection in connections.values { connection.close() }
  }

  private func startSweeping() {
    guard sweep == nil else { return }
    let shortest = min(limits.idleMilliseconds, limits.requestMilliseconds)
    let interval = TimeAmount.milliseconds(Int64(min(max(shortest / 4, 10), 5_000)))
    let registry = NIOLoopBound(self, eventLoop: loop)
    sweep = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      let now = NIODeadline.now()
      for connection in registry.value.connections.values { connection.closeIfOverdue(now) }
    }
  }
}
