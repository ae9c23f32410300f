internal import ByteParsing
internal import NIOCore
internal import NIOHTTP1

/// One client's connection: gathers requests, hands them over one at a time, writes the responses
/// in order.
///
/// While a request is being answered nothing more is read, so what a client may have under way is
/// bounded by one read. Confined to the event-loop thread.
final class HTTPConnection: ChannelDuplexHandler, ManagedConnection {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = Never
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private typealias Refusal = (response: HTTPResponse, reason: RefusalCounter.Reason)

  /// What the connection waits for.
  enum Phase {
    /// The first byte of a request.
    case idle
    /// The rest of the head.
    case head
    case body
    /// The handler's response.
    case response
    /// The client's end of the connection, after the last response.
    case closing
  }

  private let registry: ConnectionRegistry<HTTPConnection>
  private let limits: HTTPLimits
  private let handler: HTTPHandler
  private let client = ClientWatch(connection: ClientWatch.nextConnection())
  private var context: ChannelHandlerContext?
  private var peer: PeerCredentials?
  private(set) var phase = Phase.idle
  /// When the phase began.
  private var since = NIODeadline.now()
  /// Since when the client has left responses unread.
  private var unwritableSince: NIODeadline?
  private var request: HTTPRequest?
  /// What bounds its body, once that is no small one.
  private var bound: BodyBound?
  private var isHead = false
  private var keepsAlive = true
  private var isOldProtocol = false
  private var hasInputEnded = false
  private var backlog = CircularBuffer<HTTPServerRequestPart>()
  private var isConsumingBacklog = false
  private var isReadHeld = false
  private var sawPartInRead = false
  /// The refusal that ends the connection once earlier requests are answered.
  private var refusal: Refusal?
  private var output = ByteBuffer()
  private var allowance: ConnectionAllowance

  init(
    registry: ConnectionRegistry<HTTPConnection>, limits: HTTPLimits,
    handler: @escaping HTTPHandler
  ) {
    self.registry = registry
    self.limits = limits
    self.handler = handler
    allowance = ConnectionAllowance(limits)
  }

  // MARK: Channel events

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    peer = socketPeer(of: context.channel)
    guard registry.admit(self) else {
      refuse(
        .error(503, "Too many connections.", headers: [("Retry-After", "1")]), .tooManyConnections)
      return
    }
    guard allowance.open() else {
      refuse(
        .error(
          503, "The memory budget does not hold one more connection.",
          headers: [("Retry-After", "1")]), .overMemory)
      return
    }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    phase = .closing
    request = nil
    backlog.removeAll()
    client.leave()
    allowance.close()
    registry.remove(self)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    sawPartInRead = true
    let part = unwrapInboundIn(data)
    if phase == .response || !backlog.isEmpty {
      backlog.append(part)
    } else {
      consume(part)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // Bytes came and made no part: a head has begun.
    if phase == .idle, !sawPartInRead { enter(.head) }
    sawPartInRead = false
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    if phase == .response || !backlog.isEmpty {
      isReadHeld = true
    } else {
      context.read()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    unwritableSince = context.channel.isWritable ? nil : NIODeadline.now()
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent {
      hasInputEnded = true
      if phase != .response && backlog.isEmpty { close() }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let failure = error as? HTTPParserError else {
      close()
      return
    }
    let refusal: Refusal =
      failure == .headerOverflow
      ? (.error(431, "The request's target or header fields are too large."), .tooLarge)
      : (.error(400, "Malformed HTTP request."), .malformed)
    if phase == .response || !backlog.isEmpty {
      self.refusal = refusal
    } else {
      refuse(refusal.response, refusal.reason)
    }
  }

  // MARK: Requests

  private func consume(_ part: HTTPServerRequestPart) {
    guard phase != .closing else { return }
    switch part {
    case .head(let head): begin(head)
    case .body(let bytes): append(bytes)
    case .end: dispatch()
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    isHead = head.method == .HEAD
    isOldProtocol = head.version != .http1_1
    // After an upgrade the bytes that follow are no HTTP, and none is offered here.
    keepsAlive = head.isKeepAlive && head.method != .CONNECT && !head.headers.contains(name: "upgrade")
    request = HTTPRequest(
      method: head.method.rawValue, target: head.uri, headers: HTTPFields(head.headers), peer: peer,
      client: client)
    bound = nil
    enter(.body)
    if let token = limits.token, !token.matches(head.headers.first(name: "authorization")) {
      // Before anything of the body is kept.
      refuse(
        .error(
          401, "The request shows no valid token.", headers: [("WWW-Authenticate", "Bearer")]),
        .unauthorized)
      return
    }
    if let field = head.headers.first(name: "content-length") {
      guard admits(Int(field) ?? Int.max), let length = Int(field) else {
        refuseBody()
        return
      }
      guard allowance.cover(body: length, bound) else {
        refuseForMemory()
        return
      }
      // Larger bodies grow with what really arrives.
      if length > 0 { request?.body.reserveCapacity(min(length, 1 << 16)) }
    }
    guard let expectation = head.headers.first(name: "expect") else { return }
    guard expectation.lowercased() == "100-continue" else {
      refuse(.error(417, "The expectation is not supported."), .unsupported)
      return
    }
    var interim = ByteBuffer()
    interim.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
    context?.writeAndFlush(wrapOutboundOut(interim), promise: nil)
  }

  private func append(_ bytes: ByteBuffer) {
    guard let count = request?.body.count else { return }
    let sum = count + bytes.readableBytes
    guard admits(sum) else {
      refuseBody()
      return
    }
    guard allowance.cover(body: sum, bound) else {
      refuseForMemory()
      return
    }
    // A large body gets the room that is paid for, so that it is never copied to a larger one.
    if sum > limits.bodyBytesMaximum { request?.body.reserveCapacity(allowance.bodyBytes) }
    request?.body.append(contentsOf: bytes.readableBytesView)
  }

  /// Whether the request under way may have a body of `count` bytes.
  private func admits(_ count: Int) -> Bool {
    if count <= limits.bodyBytesMaximum { return true }
    if bound == nil, let request { bound = limits.bodyBound?(request.method, request.path) }
    return count <= bound?.bytesMaximum ?? 0
  }

  private func dispatch() {
    guard let encoding = request?.headers.first("content-encoding")?.lowercased(),
      encoding != "identity"
    else { return ask() }
    expandBody(encoding)
  }

  private func ask() {
    guard let request, let context else { return }
    self.request = nil
    enter(.response)
    let responder = Responder(self, loop: context.eventLoop)
    handler(request) { responder.answer($0) }
  }

  /// Decompresses the body within its bound, and asks; answers what cannot be read.
  private func expandBody(_ encoding: String) {
    guard let body = request?.body, let loop = context?.eventLoop else { return }
    guard encoding == "gzip" || encoding == "x-gzip" else {
      refuse(
        .error(
          415, "Content-Encoding \(encoding.prefix(40)) is not supported.",
          headers: [("Accept-Encoding", "gzip")]), .unsupported)
      return
    }
    do throws(GzipError) {
      let count = try Gzip.claimedCount(body)
      guard admits(count) else { return refuseBody() }
      guard allowance.cover(body: body.count + count + Gzip.workingBytes, bound) else {
        return refuseForMemory()
      }
      guard let compute = limits.compute, count > limits.expandedBytesInline else {
        return take(.success(try Gzip.decompress(body, maximum: count)))
      }
      // Others would wait for it; here nothing more is read, as while it is answered.
      enter(.response)
      let bound = NIOLoopBound(self, eventLoop: loop)
      compute {
        let expanded = Result { () throws(GzipError) in
          try Gzip.decompress(body, maximum: count)
        }
        loop.execute { bound.value.take(expanded) }
      }
    } catch {
      take(.failure(error))
    }
  }

  /// Goes on with the body of the request under way; with nothing when its client has gone.
  private func take(_ body: Result<[UInt8], GzipError>) {
    guard request != nil else { return }
    switch body {
    case .success(let bytes):
      request?.body = bytes
      ask()
    case .failure(let error): refuse(.error(400, error.sentence), .malformed)
    }
  }

  // MARK: Responses

  /// Writes the response to the request under way and turns to what waits behind it.
  func complete(_ response: HTTPResponse) {
    guard let context, phase == .response else { return }
    allowance.endRequest()
    client.forget()
    let closes = !keepsAlive || registry.isDraining
    if output.capacity > 1 << 16 { output = ByteBuffer() }
    output.clear(minimumCapacity: 256 + response.body.count)
    output.writeResponse(
      response, isHead: isHead, keepsAlive: !closes, isOldProtocol: isOldProtocol)
    context.writeAndFlush(wrapOutboundOut(output), promise: nil)
    if closes {
      finish()
      return
    }
    enter(.idle)
    if !isConsumingBacklog { consumeBacklog() }
  }

  private func consumeBacklog() {
    isConsumingBacklog = true
    while phase != .response, phase != .closing, let part = backlog.popFirst() { consume(part) }
    isConsumingBacklog = false
    guard phase != .response, phase != .closing else { return }
    if let refusal {
      refuse(refusal.response, refusal.reason)
    } else if hasInputEnded {
      close()
    } else if isReadHeld {
      isReadHeld = false
      context?.read()
    }
  }

  private func refuseBody() {
    let limit = max(limits.bodyBytesMaximum, bound?.bytesMaximum ?? 0)
    refuse(
      .error(413, "The request body exceeds \(limit) bytes\(bound?.reason ?? "")."), .tooLarge)
  }

  private func refuseForMemory() {
    refuse(
      .error(
        503, "The memory budget does not hold the request.", headers: [("Retry-After", "1")]),
      .overMemory)
  }

  /// Answers out of turn with the last response of this connection.
  private func refuse(_ response: HTTPResponse, _ reason: RefusalCounter.Reason) {
    guard let context, phase != .closing else { return }
    limits.refusals.count(reason)
    request = nil
    allowance.endRequest()
    var bytes = ByteBuffer()
    bytes.writeResponse(response, isHead: isHead, keepsAlive: false, isOldProtocol: false)
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    finish()
  }

  // MARK: The end

  /// Sends the end of the stream, and closes when the client has read it or has had its time.
  ///
  /// Closing with unread input at once would make the system drop the response.
  private func finish() {
    guard let context else { return }
    enter(.closing)
    backlog.removeAll()
    if hasInputEnded {
      close()
      return
    }
    context.close(mode: .output, promise: nil)
    if isReadHeld {
      isReadHeld = false
      context.read()
    }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    let linger = TimeAmount.milliseconds(Int64(limits.lingerMilliseconds))
    context.eventLoop.scheduleTask(in: linger) { bound.value.close() }
  }

  func close() { context?.close(promise: nil) }

  /// Ends a connection that has no request under way.
  func drain() {
    if phase == .idle || phase == .head { close() }
  }

  /// Ends a connection that has waited longer than the limits allow.
  func tick(_ now: NIODeadline) {
    let idle = TimeAmount.milliseconds(Int64(limits.idleMilliseconds))
    let patience = TimeAmount.milliseconds(Int64(limits.requestMilliseconds))
    if let unwritableSince, now - unwritableSince > patience {
      limits.refusals.count(.tooSlow)
      close()
      return
    }
    switch phase {
    case .idle: if now - since > idle { close() }
    case .head, .body:
      if now - since > patience {
        refuse(
          .error(408, "The request took longer than \(limits.requestMilliseconds) ms."), .tooSlow)
      }
    case .response, .closing: break
    }
  }

  private func enter(_ phase: Phase) {
    // The body's time runs from the first byte of the head.
    if !(self.phase == .head && phase == .body) { since = NIODeadline.now() }
    self.phase = phase
  }
}
