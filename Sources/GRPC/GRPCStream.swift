internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Transport

/// One call on a connection. Confined to the event-loop thread.
final class GRPCStream {
  /// What the call waits for.
  enum Phase {
    /// The rest of the request.
    case receiving
    /// The method's answer.
    case answering
    /// News to send.
    case streaming(@Sendable () -> [UInt8]?)
    /// The client, to take the reply.
    case sending
  }

  let id: HTTP2StreamID
  let method: GRPCMethod
  let deadline: NIODeadline?
  let memory: CallMemory
  let client: ClientWatch
  let headers: HPACKHeaders
  var reader: GRPCMessageReader
  var hasInputEnded = false
  /// Whether the client was told that it may send the whole message.
  var isWidened = false
  /// Whether the initial metadata were sent.
  var isBegun = false
  private(set) var phase = Phase.receiving
  /// When the phase began.
  private(set) var since = NIODeadline.now()

  init(
    _ id: HTTP2StreamID, _ method: GRPCMethod, _ head: GRPCRequestHead, memory: CallMemory,
    connection: UInt64
  ) {
    client = ClientWatch(connection: connection)
    self.id = id
    self.method = method
    headers = head.headers
    deadline = head.timeout.map { NIODeadline.now() + $0 }
    reader = GRPCMessageReader(mayBeCompressed: head.isCompressed)
    self.memory = memory
  }

  func enter(_ phase: Phase) {
    self.phase = phase
    since = NIODeadline.now()
  }

  var isReceiving: Bool { if case .receiving = phase { true } else { false } }
  var isAnswering: Bool { if case .answering = phase { true } else { false } }
  var isSending: Bool { if case .sending = phase { true } else { false } }

  func isOverdue(_ now: NIODeadline) -> Bool { deadline.map { $0 <= now } ?? false }
}
