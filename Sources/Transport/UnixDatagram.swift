internal import Glibc

/// Single datagrams to a Unix socket.
package enum UnixDatagram {
  /// Sends `bytes` without waiting; returns 0, or `errno`.
  ///
  /// - Parameter address: a path, or a name in the abstract space when it begins with `@`.
  package static func send(_ bytes: [UInt8], to address: String) -> Int32 {
    guard (try? UnixSocket.check(path: address)) != nil else { return ENAMETOOLONG }
    switch UnixSocket.make(SOCK_DGRAM) {
    case .success(let socket): return socket.send(datagram: bytes, to: address)
    case .failure(let failure): return failure.errno
    }
  }
}
