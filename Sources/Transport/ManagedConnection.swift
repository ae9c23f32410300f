package import NIOCore
internal import Synchronization

/// A connection that a registry looks after; confined to the event-loop thread.
package protocol ManagedConnection: AnyObject, SendableMetatype {
  /// Ends it as soon as nothing is under way.
  func drain()
  /// Ends it whatever it waits for.
  func close()
  /// Looks after its time.
  func tick(_ now: NIODeadline)
}

/// Counts the open connections of one server over all its threads.
final class ConnectionCount: Sendable {
  private let maximum: Int
  private let open = Atomic<Int>(0)

  init(maximum: Int) { self.maximum = maximum }

  /// Whether there is room for one more, which is counted then.
  func enter() -> Bool {
    guard open.add(1, ordering: .relaxed).newValue <= maximum else {
      leave()
      return false
    }
    return true
  }

  func leave() { open.subtract(1, ordering: .relaxed) }
}

/// The open connections of one server on one thread, and the clock that looks after them.
///
/// Confined to its event-loop thread.
package final class ConnectionRegistry<Connection: ManagedConnection> {
  package private(set) var isDraining = false
  private let count: ConnectionCount
  private let tickMilliseconds: Int
  private let loop: any EventLoop
  private var connections: [ObjectIdentifier: Connection] = [:]
  private var ticks: RepeatedTask?
  private var emptied: EventLoopPromise<Void>?

  init(count: ConnectionCount, tickMilliseconds: Int, loop: any EventLoop) {
    self.count = count
    self.tickMilliseconds = tickMilliseconds
    self.loop = loop
  }

  /// Whether the server has room; a connection that is refused is not kept.
  package func admit(_ connection: Connection) -> Bool {
    guard !isDraining, count.enter() else { return false }
    connections[ObjectIdentifier(connection)] = connection
    startTicking()
    return true
  }

  package func remove(_ connection: Connection) {
    // One that was not admitted is not counted.
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    count.leave()
    guard connections.isEmpty else { return }
    // Nothing to look after: an idle server does not wake the processor.
    ticks?.cancel()
    ticks = nil
    emptied?.succeed()
    emptied = nil
  }

  /// Ends each connection behind what is under way; completes when none is left.
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

  func closeAll() {
    for connection in connections.values { connection.close() }
  }

  private func startTicking() {
    guard ticks == nil else { return }
    let interval = TimeAmount.milliseconds(Int64(tickMilliseconds))
    let registry = NIOLoopBound(self, eventLoop: loop)
    ticks = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      let now = NIODeadline.now()
      for connection in registry.value.connections.values { connection.tick(now) }
    }
  }
}
