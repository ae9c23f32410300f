internal import NIOCore
package import NIOPosix

/// The thread that does socket I/O, or a few of them; several servers may share it.
///
/// A connection stays on the thread that it came to, so that what belongs to one is confined to one
/// thread however many there are.
package final class EventLoopThread: Sendable {
  package let group: MultiThreadedEventLoopGroup

  /// - Parameter threads: connections are spread over, each in turn.
  package init(threads: Int = 1) {
    precondition(threads > 0)
    group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
  }

  /// The loop of each thread.
  var loops: [any EventLoop] { Array(group.makeIterator()) }

  /// Calls `body` when every thread has done what it had to do already.
  package func submit(_ body: @escaping @Sendable () -> Void) {
    Self.submit(body, behind: loops[...])
  }

  private static func submit(
    _ body: @escaping @Sendable () -> Void, behind loops: ArraySlice<any EventLoop>
  ) {
    guard let loop = loops.first else { return body() }
    loop.execute { submit(body, behind: loops.dropFirst()) }
  }

  /// Ends the threads once their servers are shut down; blocks until they have ended.
  package func shutdown() { try? group.syncShutdownGracefully() }
}
