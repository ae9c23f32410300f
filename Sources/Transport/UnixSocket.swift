internal import Glibc

/// A Unix stream socket owned by this value's holder; every system call on sockets is made here.
///
/// Sound because each pointer handed to the system lives for the call alone, with the length of
/// the memory that it points at.
final class UnixSocket: Sendable {
  /// Bytes of a path that `sockaddr_un` holds, its final zero not counted.
  static let pathBytesMaximum = 107

  let descriptor: CInt

  init(descriptor: CInt) { self.descriptor = descriptor }

  deinit { _ = close(descriptor) }

  /// A new unconnected socket, closed across `exec`.
  static func make(
    _ kind: __socket_type = SOCK_STREAM
  ) -> Result<UnixSocket, SystemCallFailure> {
    let descriptor = socket(AF_UNIX, CInt(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return .failure(SystemCallFailure(call: "socket", errno: errno)) }
    return .success(UnixSocket(descriptor: descriptor))
  }

  /// Refuses paths that the system cannot hold.
  static func check(path: String) throws(TransportError) {
    let bytes = path.utf8.count
    guard bytes > 0, !path.utf8.contains(0) else { throw .pathInvalid(path: path) }
    guard bytes <= pathBytesMaximum else {
      throw .pathTooLong(path: path, bytes: bytes, maximum: pathBytesMaximum)
    }
  }

  /// Returns 0, or `errno`.
  func connect(to path: String) -> Int32 {
    unsafe withAddress(path) { address, length in
      unsafe Glibc.connect(descriptor, address, length) == 0 ? 0 : errno
    }
  }

  /// Returns 0, or `errno`.
  func bind(to path: String) -> Int32 {
    unsafe withAddress(path) { address, length in
      unsafe Glibc.bind(descriptor, address, length) == 0 ? 0 : errno
    }
  }

  /// Sends one datagram without waiting; returns 0, or `errno`. A leading `@` in the path stands for
  /// the zero byte of a name in the abstract space.
  func send(datagram bytes: [UInt8], to path: String) -> Int32 {
    let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
    return unsafe withAddress(path, isAbstract: path.utf8.first == UInt8(ascii: "@")) {
      address, length in
      unsafe bytes.withUnsafeBytes { buffer in
        let sent = unsafe sendto(
          descriptor, buffer.baseAddress, buffer.count, flags, address, length)
        return sent >= 0 ? 0 : errno
      }
    }
  }

  /// The path of a stream socket that listens; nil for any other descriptor.
  static func listeningPath(of descriptor: CInt) -> String? {
    var isListening: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    guard
      unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0,
      isListening == 1
    else { return nil }
    var address = sockaddr_un()
    length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(descriptor, $0, &length)
      }
    }
    guard status == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
    let path = unsafe withUnsafeBytes(of: &address.sun_path) { unsafe Array($0.prefix { $0 != 0 }) }
    return path.isEmpty ? nil : String(decoding: path, as: UTF8.self)
  }

  /// Bounds how long one `receive` and one `send` may block.
  func setTimeout(milliseconds: Int) {
    var time = timeval(tv_sec: milliseconds / 1000, tv_usec: (milliseconds % 1000) * 1000)
    let length = socklen_t(MemoryLayout<timeval>.size)
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, length)
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, length)
  }

  /// Sends a prefix of `bytes` from `offset` on; returns its length, or −`errno`.
  func send(_ bytes: [UInt8], from offset: Int) -> Int {
    precondition(offset <= bytes.count)
    return unsafe bytes.withUnsafeBytes { buffer in
      let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
      let sent = unsafe Glibc.send(
        descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
      return sent >= 0 ? sent : -Int(errno)
    }
  }

  /// Appends what has arrived, `maximum` bytes at most; returns their number (0 at the end), or
  /// −`errno`.
  func receive(into bytes: inout [UInt8], maximum: Int) -> Int {
    let before = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: maximum))
    let received = unsafe bytes.withUnsafeMutableBytes { buffer in
      let free = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[before...])
      let count = unsafe recv(descriptor, free.baseAddress, free.count, 0)
      return count >= 0 ? count : -Int(errno)
    }
    bytes.removeLast(maximum - max(received, 0))
    return received
  }

  /// Hands the descriptor to another owner; this object must not be used afterwards.
  func duplicate() -> CInt { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }

  /// - Precondition: `check(path:)` accepted the path.
  private func withAddress(
    _ path: String, isAbstract: Bool = false,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    precondition(bytes.count <= Self.pathBytesMaximum)
    // An abstract name is as long as its address says; a path ends at the first zero.
    var length = MemoryLayout<sockaddr_un>.size
    if isAbstract {
      bytes[0] = 0
      length = MemoryLayout<sockaddr_un>.size - Self.pathBytesMaximum - 1 + bytes.count
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
      unsafe target.copyBytes(from: bytes)
    }
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(length))
      }
    }
  }
}

/// A system call that failed.
struct SystemCallFailure: Error {
  var call: String
  var errno: Int32
}

/// The system's words for an error number.
func systemMessage(_ number: Int32) -> String {
  // The text lives until the thread's next call, and is copied at once.
  unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
}
