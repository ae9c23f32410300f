internal import NIOCore
package import Transport

/// One call with its whole request.
package struct GRPCCall: Sendable {
  /// The request, without its prefix.
  package let message: [UInt8]
  /// Who calls; nil when the system does not tell.
  package let peer: PeerCredentials?
  /// Pays for the request for as long as anything holds the call.
  package let memory: CallMemory
  /// Monotonic nanoseconds; nil when the client waits as long as it takes.
  private let deadline: UInt64?

  /// - Parameter deadline: Monotonic nanoseconds.
  package init(
    message: [UInt8], peer: PeerCredentials? = nil, memory: CallMemory = CallMemory(nil),
    deadline: UInt64? = nil
  ) {
    self.message = message
    self.peer = peer
    self.memory = memory
    self.deadline = deadline
  }

  /// How long the client still waits, rounded up, 0 when it no longer does; nil for ever.
  package func remainingMilliseconds() -> Int? {
    guard let deadline else { return nil }
    let now = NIODeadline.now().uptimeNanoseconds
    return now >= deadline ? 0 : Int((deadline - now + 999_999) / 1_000_000)
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
  /// Called on the event-loop thread, which it must not hold for long. The closure that it is given
  /// is called once, from any thread; one that is dropped uncalled answers INTERNAL.
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
