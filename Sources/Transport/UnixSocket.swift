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
  static func make() -> Result<UnixSocket, SystemCallFailure> {
    let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
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
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    precondition(bytes.count <= Self.pathBytesMaximum)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
      unsafe target.copyBytes(from: bytes)
    }
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
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
