internal import Glibc

/// What one packet brought.
package struct ReceivedPacket {
  package var bytes: [UInt8]
  /// Descriptors that came with it; whoever takes the packet closes them.
  package var descriptors: [Int32]
  /// Whether bytes or descriptors did not fit.
  package var isCut: Bool
}

/// A listening Unix socket of packets, which may carry descriptors.
///
/// A socket of its own, since descriptors must be received with the very bytes that they came with:
/// a library that reads a stream of bytes drops them.
package final class PacketListener: Sendable {
  private let file: UnixSocketFile

  package var path: String { file.path }
  /// For `poll`.
  package var descriptor: Int32 { file.socket.descriptor }

  /// Binds the socket file and begins to listen.
  package init(at place: SocketPlace) throws(TransportError) {
    file = try UnixSocketFile(place, kind: SOCK_SEQPACKET)
    guard listen(file.socket.descriptor, SocketPlace.backlogMaximum) == 0 else {
      let number = errno
      file.remove()
      throw .cannotListen(path: place.path, call: "listen", errno: number)
    }
  }

  /// A connection that waits; nil when there is none.
  package func accept() -> PacketConnection? {
    let accepted = Glibc.accept(descriptor, nil, nil)
    guard accepted >= 0 else { return nil }
    _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
    return PacketConnection(UnixSocket(descriptor: accepted))
  }

  /// Removes the socket file.
  package func remove() { file.remove() }
}

/// One client of a `PacketListener`.
package final class PacketConnection: Sendable {
  /// Descriptors of one packet at most; the kernel closes further ones.
  private static let descriptorsMaximum = 4
  /// The kernel's header of what comes beside the bytes: a length, a level and a kind.
  private static let controlHeaderBytes = 16

  private let socket: UnixSocket
  /// Tells connections apart while the process lives.
  package let number = ClientWatch.nextConnection()

  init(_ socket: UnixSocket) { self.socket = socket }

  /// For `poll`.
  package var descriptor: Int32 { socket.descriptor }

  /// Who connected; nil when the kernel does not say.
  package var peer: PeerCredentials? {
    var credentials = UserCredentials()
    var length = socklen_t(MemoryLayout<UserCredentials>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else {
      return nil
    }
    return PeerCredentials(
      processID: credentials.processID, userID: credentials.userID, groupID: credentials.groupID)
  }

  /// A packet that has come, of at most `maximum` bytes.
  ///
  /// - Returns: nil when the client has gone, or nothing has come.
  package func receive(maximum: Int) -> ReceivedPacket? {
    var bytes = [UInt8](repeating: 0, count: maximum)
    var control = [UInt8](
      repeating: 0, count: Self.controlHeaderBytes + Self.descriptorsMaximum * 4)
    var flags: CInt = 0
    var controlCount = 0
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe control.withUnsafeMutableBytes { control in
        var part = unsafe iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        return unsafe withUnsafeMutablePointer(to: &part) { part in
          // Sound: all that the header points at lives for the call.
          var header = unsafe msghdr()
          unsafe header.msg_iov = part
          unsafe header.msg_iovlen = 1
          unsafe header.msg_control = control.baseAddress
          unsafe header.msg_controllen = control.count
          let count = unsafe recvmsg(
            descriptor, &header, CInt(MSG_CMSG_CLOEXEC) | CInt(MSG_DONTWAIT))
          flags = unsafe header.msg_flags
          unsafe controlCount = header.msg_controllen
          return count
        }
      }
    }
    guard count > 0 else { return nil }
    let cut = CInt(MSG_TRUNC) | CInt(MSG_CTRUNC)
    return ReceivedPacket(
      bytes: Array(bytes[..<min(count, maximum)]),
      descriptors: Self.descriptors(control[..<min(controlCount, control.count)]),
      isCut: flags & cut != 0)
  }

  /// The descriptors in the kernel's one message of them.
  private static func descriptors(_ control: ArraySlice<UInt8>) -> [Int32] {
    func number(_ offset: Int, _ width: Int) -> Int {
      control[offset..<offset + width].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    guard control.count >= controlHeaderBytes, number(8, 4) == Int(SOL_SOCKET),
      number(12, 4) == Int(SCM_RIGHTS)
    else { return [] }
    let end = min(number(0, 8), control.count)
    return stride(from: controlHeaderBytes, through: end - 4, by: 4).map {
      Int32(truncatingIfNeeded: number($0, 4))
    }
  }

  /// Sends one packet without waiting; false when the client has gone, or does not read.
  package func send(_ bytes: [UInt8]) -> Bool {
    let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
    return unsafe bytes.withUnsafeBytes { buffer in
      unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, flags) == buffer.count
    }
  }
}
