internal import NIOCore
internal import NIOHPACK
package import Transport

/// One call with its whole request.
package struct GRPCCall: Sendable {
  /// The request, without its prefix.
  package let message: [UInt8]
  /// Who calls; nil when the system does not tell.
  package let peer: PeerCredentials?
  /// The number of the user who calls; nil when the system does not tell.
  package var userID: UInt32? { peer?.userID }
  /// Pays for the request for as long as anything holds the call.
  package let memory: CallMemory
  /// Monotonic nanoseconds; nil when the client waits as long as it takes.
  package let deadline: UInt64?
  private let client: ClientWatch
  private let headers: HPACKHeaders

  /// - Parameter deadline: Monotonic nanoseconds.
  package init(
    message: [UInt8], peer: PeerCredentials? = nil, memory: CallMemory = CallMemory(nil),
    deadline: UInt64? = nil, client: ClientWatch = ClientWatch(),
    fields: [(String, String)] = []
  ) {
    self.init(
      message: message, peer: peer, memory: memory, deadline: deadline, client: client,
      headers: HPACKHeaders(fields))
  }

  init(
    message: [UInt8], peer: PeerCredentials?, memory: CallMemory, deadline: UInt64?,
    client: ClientWatch, headers: HPACKHeaders
  ) {
    self.message = message
    self.peer = peer
    self.memory = memory
    self.deadline = deadline
    self.client = client
    self.headers = headers
  }

  /// Calls `body` once when the client goes or takes the call back, at once when it has, and never
  /// when it was answered before.
  package func whenGone(_ body: @escaping @Sendable () -> Void) { client.whenGone(body) }

  /// Tells connections apart while the process lives.
  package var connection: UInt64 { client.connection }

  /// Hands over the name and value of each field of the metadata, in the order received.
  package func forEachField<E>(_ body: (String, String) throws(E) -> Void) throws(E) {
    for (name, value, _) in headers { try body(name, value) }
  }
}

/// What a call is answered with.
package enum GRPCReply: Sendable {
  /// The one reply, behind `GRPCFraming.prefixBytes` bytes that the server fills.
  case message([UInt8])
  case failure(GRPCStatus)
  /// A stream without end: asked at once and then at every tick, it gives a message when there is
  /// news. Called on the event-loop thread.
  case news(@Sendable () -> [UInt8]?)
}

/// One procedure; its request is a single message.
package struct GRPCMethod: Sendable {
  /// Called on the event-loop thread, which it must not hold for long, or with a large message by
  /// what `GRPCLimits.compute` runs. The closure that it is given is called once, from any thread; one
  /// that is dropped uncalled answers INTERNAL.
  package typealias Body =
    @Sendable (GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void) -> Void

  /// Whether calls count as requests that cost something.
  package var isCostly: Bool
  package var body: Body

  package init(isCostly: Bool = false, _ body: @escaping Body) {
    self.isCostly = isCostly
    self.body = body
  }
}
