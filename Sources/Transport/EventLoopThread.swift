internal import NIOCore
package import NIOPosix

/// The one thread that does socket I/O; several servers may share it.
package final class EventLoopThread: Sendable {
  package let group: MultiThreadedEventLoopGroup

  package init() { group = MultiThreadedEventLoopGroup(numberOfThreads: 1) }

  /// Calls `body` on the thread, after what it has to do already.
  package func submit(_ body: @escaping @Sendable () -> Void) { group.next().execute(body) }

  /// Ends the thread once its servers are shut down; blocks until it has ended.
  package func shutdown() { try? group.syncShutdownGracefully() }
}
