/// Why a socket cannot be served or reached, or an exchange failed.
package enum TransportError: Error, Equatable, Sendable {
  /// The path takes `bytes` bytes; the system holds `maximum`.
  case pathTooLong(path: String, bytes: Int, maximum: Int)
  /// The path is empty or holds a zero byte.
  case pathInvalid(path: String)
  /// A file that is no socket lies at the path; it is left alone.
  case notASocket(path: String)
  /// A server answers at the path already.
  case addressInUse(path: String)
  /// A system call failed while the socket was made.
  case cannotListen(path: String, call: String, errno: Int32)
  /// Nobody answers at the path.
  case cannotConnect(path: String, errno: Int32)
  /// The peer closed the connection before the response was whole.
  case connectionClosed
  /// No byte moved for the time allowed.
  case timedOut(milliseconds: Int)
  case inputOutput(errno: Int32)
  /// What the peer sent is no HTTP response.
  case malformedResponse
  case responseTooLarge(limit: Int)

  /// One sentence for people.
  package var sentence: String {
    switch self {
    case .pathTooLong(let path, let bytes, let maximum):
      "The socket path \(path) takes \(bytes) bytes; the system allows \(maximum)."
    case .pathInvalid(let path):
      "The socket path \"\(path)\" is empty or holds a zero byte."
    case .notASocket(let path):
      "\(path) exists and is no socket; it is left as it is."
    case .addressInUse(let path):
      "Another server answers at \(path)."
    case .cannotListen(let path, let call, let errno):
      "The socket \(path) cannot be opened: \(call): \(systemMessage(errno))."
    case .cannotConnect(let path, let errno):
      "Nobody answers at \(path): \(systemMessage(errno))."
    case .connectionClosed: "The server closed the connection before its answer was whole."
    case .timedOut(let milliseconds): "The server did not answer within \(milliseconds) ms."
    case .inputOutput(let errno): "The connection failed: \(systemMessage(errno))."
    case .malformedResponse: "The server's answer is no HTTP response."
    case .responseTooLarge(let limit): "The server's answer exceeds \(limit) bytes."
    }
  }
}
