package import Glibc

/// Where a server listens, and who may come.
package struct SocketPlace: Sendable {
  /// Connections that wait to be accepted, at most.
  package static let backlogMaximum: Int32 = 256

  /// At most 107 bytes; its directory must exist. A stale socket there is replaced.
  package var path: String
  /// Permissions of the socket file.
  package var mode: mode_t
  /// The group of the socket file; that of the process when nil.
  package var group: gid_t?
  /// Sockets that listen already; one at `path` is used as it is.
  package var inherited: InheritedSockets

  package init(
    path: String, mode: mode_t, group: gid_t? = nil, inherited: InheritedSockets = .init()
  ) {
    self.path = path
    self.mode = mode
    self.group = group
    self.inherited = inherited
  }
}
