package import Glibc

/// A bound socket and the file that names it, removed again only while it is still the same file.
package struct UnixSocketFile: Sendable {
  package let path: String
  let socket: UnixSocket
  /// What the file was when it was made; nil for a file of the service manager's, which stays.
  private let identity: Identity?

  private struct Identity: Equatable {
    var device: UInt
    var inode: UInt

    init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
    }
  }

  /// Binds a socket, or takes over the one that listens there already.
  ///
  /// A socket file that nobody answers at is replaced; any other file is left alone.
  package init(
    _ place: SocketPlace, kind: __socket_type = SOCK_STREAM
  ) throws(TransportError) {
    if let socket = place.inherited[place.path] {
      self.init(path: place.path, socket: socket, identity: nil)
    } else {
      try self.init(binding: place, kind)
    }
  }

  private init(path: String, socket: UnixSocket, identity: Identity?) {
    self.path = path
    self.socket = socket
    self.identity = identity
  }

  private init(binding place: SocketPlace, _ kind: __socket_type) throws(TransportError) {
    let (path, mode, group) = (place.path, place.mode, place.group)
    try UnixSocket.check(path: path)
    try Self.removeStale(path)
    let socket: UnixSocket
    switch UnixSocket.make(kind) {
    case .success(let made): socket = made
    case .failure(let failure):
      throw .cannotListen(path: path, call: failure.call, errno: failure.errno)
    }
    // The file takes the mode of the socket at bind, so it is never open wider than asked.
    let modeAtBind = group == nil ? mode : mode & 0o700
    guard fchmod(socket.descriptor, modeAtBind) == 0 else {
      throw .cannotListen(path: path, call: "fchmod", errno: errno)
    }
    let bound = socket.bind(to: path)
    guard bound == 0 else {
      if bound == EADDRINUSE { throw .addressInUse(path: path) }
      throw .cannotListen(path: path, call: "bind", errno: bound)
    }
    if let group, unsafe lchown(path, .max, group) != 0 {
      throw .cannotListen(path: path, call: "chown", errno: errno)
    }
    // The process's umask took bits away at bind; give those back that were asked for.
    guard unsafe chmod(path, mode) == 0 else {
      throw .cannotListen(path: path, call: "chmod", errno: errno)
    }
    guard let status = Self.status(path) else {
      throw .cannotListen(path: path, call: "lstat", errno: errno)
    }
    self.path = path
    self.socket = socket
    identity = Identity(status)
  }

  /// A descriptor of the socket that belongs to whoever asked.
  package func duplicate() -> CInt { socket.duplicate() }

  /// Removes the file unless another has taken its place.
  package func remove() {
    guard let identity, let status = Self.status(path), Identity(status) == identity else { return }
    _ = unsafe unlink(path)
  }

  private static func removeStale(_ path: String) throws(TransportError) {
    guard let status = status(path) else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
    guard case .success(let probe) = UnixSocket.make() else { return }
    // Only a refused connection proves that nobody listens.
    guard probe.connect(to: path) == ECONNREFUSED else { throw .addressInUse(path: path) }
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw .cannotListen(path: path, call: "unlink", errno: errno)
    }
  }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status : nil
  }
}
