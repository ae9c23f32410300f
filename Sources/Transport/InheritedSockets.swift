internal import Glibc

/// Listening sockets that the service manager opened before this process started, so that clients
/// wait in a queue while the service is restarted (sd_listen_fds(3)).
package struct InheritedSockets: Sendable {
  /// Sockets that are taken over at most.
  static let countMaximum = 16

  private var sockets: [String: UnixSocket] = [:]

  /// None.
  package init() {}

  /// What `LISTEN_PID` and `LISTEN_FDS` announce to this process; descriptors that are no listening
  /// Unix sockets are left alone.
  ///
  /// - Parameters:
  ///   - variable: gives the value of a variable, nil when it is not set.
  ///   - first: the first descriptor; 3 by the protocol.
  package init(environment variable: (String) -> String?, first: CInt = 3) {
    guard variable("LISTEN_PID").flatMap({ CInt($0) }) == getpid(),
      let count = variable("LISTEN_FDS").flatMap({ CInt($0) }), count > 0
    else { return }
    for descriptor in first..<first + min(count, CInt(Self.countMaximum)) {
      guard let path = UnixSocket.listeningPath(of: descriptor) else { continue }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      sockets[path] = UnixSocket(descriptor: descriptor)
    }
  }

  /// The paths that they listen at, sorted.
  package var paths: [String] { sockets.keys.sorted() }

  subscript(path: String) -> UnixSocket? { sockets[path] }
}
