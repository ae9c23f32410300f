/// A small blocking HTTP/1.1 client for one server on a Unix socket; keeps its connection.
package struct UnixHTTPClient {
  /// What the client accepts.
  package struct Limits: Sendable {
    package var responseBytesMaximum = 64 * 1024 * 1024
    package var headBytesMaximum = 64 * 1024
    /// How long nothing may move before the exchange fails.
    package var timeoutMilliseconds = 30_000

    package init() {}
  }

  package let path: String
  private let limits: Limits
  private var socket: UnixSocket?
  /// Bytes received beyond the last response.
  private var received: [UInt8] = []

  /// Does not connect yet; the first request does.
  package init(path: String, limits: Limits = Limits()) {
    self.path = path
    self.limits = limits
  }

  /// Sends one request and waits for its response.
  ///
  /// A kept connection that turns out to be closed before a byte of the response came is opened
  /// anew once. After an error the connection is closed.
  package mutating func request(
    method: String, path target: String, headers: [(String, String)] = [], body: [UInt8] = []
  ) throws(TransportError) -> HTTPResponse {
    let bytes = encode(method: method, target: target, headers: headers, body: body)
    let wasKept = socket != nil
    do {
      return try exchange(bytes, isHead: method == "HEAD")
    } catch {
      socket = nil
      let isStale =
        wasKept && received.isEmpty
        && (error == .connectionClosed || error == .inputOutput(errno: brokenPipe)
          || error == .inputOutput(errno: connectionReset))
      guard isStale else { throw error }
    }
    do {
      return try exchange(bytes, isHead: method == "HEAD")
    } catch {
      socket = nil
      throw error
    }
  }

  private func encode(
    method: String, target: String, headers: [(String, String)], body: [UInt8]
  ) -> [UInt8] {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if !body.isEmpty || method == "POST" { head += "Content-Length: \(body.count)\r\n" }
    head += "\r\n"
    return Array(head.utf8) + body
  }

  private mutating func exchange(
    _ bytes: [UInt8], isHead: Bool
  ) throws(TransportError) -> HTTPResponse {
    let socket = try connected()
    received.removeAll(keepingCapacity: true)
    var sent = 0
    while sent < bytes.count {
      let count = socket.send(bytes, from: sent)
      if count == -Int(interrupted) { continue }
      // A server that refuses early has answered before it closes: read that answer.
      if count == -Int(brokenPipe) || count == -Int(connectionReset) { break }
      guard count >= 0 else { throw failure(count) }
      sent += count
    }
    var reader = HTTPResponseReader(
      headBytesMaximum: limits.headBytesMaximum,
      bodyBytesMaximum: limits.responseBytesMaximum, isHead: isHead)
    while true {
      if let response = try reader.next(&received) {
        if !reader.keepsAlive || sent < bytes.count { self.socket = nil }
        return response
      }
      let count = socket.receive(into: &received, maximum: 1 << 16)
      if count == -Int(interrupted) { continue }
      guard count >= 0 else { throw failure(count) }
      guard count > 0 else { throw .connectionClosed }
    }
  }

  private mutating func connected() throws(TransportError) -> UnixSocket {
    if let socket { return socket }
    try UnixSocket.check(path: path)
    switch UnixSocket.make() {
    case .failure(let failure): throw .cannotConnect(path: path, errno: failure.errno)
    case .success(let made):
      made.setTimeout(milliseconds: limits.timeoutMilliseconds)
      let result = made.connect(to: path)
      guard result == 0 else { throw .cannotConnect(path: path, errno: result) }
      socket = made
      return made
    }
  }

  private func failure(_ count: Int) -> TransportError {
    let number = Int32(-count)
    return number == wouldBlock
      ? .timedOut(milliseconds: limits.timeoutMilliseconds) : .inputOutput(errno: number)
  }
}
