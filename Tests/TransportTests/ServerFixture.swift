import Glibc
import Synchronization
import Transport

private let socketCounter = Atomic<Int>(0)

/// A socket path that no other test uses.
func freshSocketPath() -> String {
  let number = socketCounter.add(1, ordering: .relaxed).newValue
  return "/tmp/edgeserve-transport-\(getpid())-\(number).sock"
}

/// A running server that is shut down with this object.
final class ServerFixture {
  let thread = EventLoopThread()
  let server: UnixHTTPServer
  var path: String { server.path }

  init(limits: HTTPLimits = HTTPLimits(), handler: @escaping HTTPHandler) throws {
    server = try UnixHTTPServer(
      path: freshSocketPath(), mode: 0o600, limits: limits, thread: thread, handler: handler)
  }

  deinit {
    server.shutdown(drainMilliseconds: 1000)
    thread.shutdown()
  }

  /// Answers with method, path, query and body.
  static let echo: HTTPHandler = { request, respond in
    let line = "\(request.method) \(request.path) \(request.query ?? "-")\n"
    respond(HTTPResponse(status: 200, body: Array(line.utf8) + request.body))
  }
}

/// A raw connection, to send what no client would.
final class RawConnection {
  private let descriptor: CInt

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw TransportError.cannotConnect(path: path, errno: errno) }
    var time = timeval(tv_sec: 10, tv_usec: 0)
    _ = unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { _ = close(descriptor) }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    _ = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
    }
  }

  func endInput() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

  /// What arrives until `marker` has come `count` times, or the end.
  func receive(until marker: String, count: Int = 1) -> String {
    var text = ""
    while text.components(of: marker) < count {
      guard let piece = receiveSome() else { break }
      text += piece
    }
    return text
  }

  /// What arrives until the server closes; nil when it never does.
  func receiveAll() -> String? {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
      if count == 0 || (count < 0 && errno == ECONNRESET) { return text }
      guard count > 0 else { return nil }
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
  }

  private func receiveSome() -> String? {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }
}

extension String {
  /// How often `part` occurs.
  func components(of part: String) -> Int {
    var count = 0
    var rest = self[...]
    while let range = rest.firstRange(of: part) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
