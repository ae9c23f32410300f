internal import CEdgeServeClient

/// Why a call to the agent failed.
public struct EdgeServeError: Error, Sendable, Equatable {
  /// What a program may decide by.
  public enum Reason: Sendable, Equatable {
    /// The call itself is wrong; nothing was sent.
    case invalidArgument
    /// As many calls wait for a connection as the configuration lets.
    case tooManyWaiting
    /// The client was closed.
    case closed
    /// The task was cancelled.
    case cancelled
    case outOfMemory
    /// No agent answers at the socket, or this process may not connect to it.
    case unreachable
    /// The connection ended before the answer was whole.
    case connectionLost
    /// The time ran out, here or while the request waited in the agent.
    case deadlineExceeded
    /// The agent refuses the request: a name, type, shape or number that the model does not take.
    case badRequest
    /// The agent's settings do not let this process ask.
    case forbidden
    case notFound
    /// Request or answer is larger than one of the sides takes.
    case tooLarge
    /// This process asks more often than it may; see `retryAfter`.
    case tooManyRequests
    /// The model does not serve now, or too many requests wait; see `retryAfter`.
    case unavailable
    case agentFailed
    /// The answer is none of the protocol's.
    case malformedAnswer
  }

  public var reason: Reason
  /// Words for people.
  public var message: String
  /// The status of the agent's answer; nil when there was none.
  public var httpStatus: Int?
  /// After how long the agent says to try again; nil when it does not.
  public var retryAfter: Duration?

  init(_ reason: Reason, _ message: String) {
    self.reason = reason
    self.message = message
  }
}

extension EdgeServeError {
  /// The error of a call that ended with `status`, and what its client says about it.
  init(_ status: edgeserve_status, _ details: edgeserve_error?) {
    var details = details
    self.init(
      Self.reason(status),
      unsafe details.map { _ in
        unsafe withUnsafeBytes(of: &details!.message) {
          // Sound: the text ends with a zero within its array.
          unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
      } ?? String(cString: edgeserve_status_name(status)))
    guard let details else { return }
    if details.http_status != 0 { httpStatus = Int(details.http_status) }
    if details.retry_after_seconds != 0 { retryAfter = .seconds(Int(details.retry_after_seconds)) }
  }

  private static func reason(_ status: edgeserve_status) -> Reason {
    switch status {
    case EDGESERVE_INVALID_ARGUMENT: .invalidArgument
    case EDGESERVE_OUT_OF_MEMORY: .outOfMemory
    case EDGESERVE_UNREACHABLE: .unreachable
    case EDGESERVE_CONNECTION_LOST: .connectionLost
    case EDGESERVE_DEADLINE_EXCEEDED: .deadlineExceeded
    case EDGESERVE_INTERRUPTED: .cancelled
    case EDGESERVE_BAD_REQUEST: .badRequest
    case EDGESERVE_FORBIDDEN: .forbidden
    case EDGESERVE_NOT_FOUND: .notFound
    case EDGESERVE_TOO_LARGE: .tooLarge
    case EDGESERVE_TOO_MANY_REQUESTS: .tooManyRequests
    case EDGESERVE_UNAVAILABLE: .unavailable
    case EDGESERVE_MALFORMED_ANSWER: .malformedAnswer
    default: .agentFailed
    }
  }
}
