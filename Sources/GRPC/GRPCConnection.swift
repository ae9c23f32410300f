internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Transport

/// One client's connection: gathers the calls that its frames make, hands each over when its
/// request is whole, and writes the replies as they come.
///
/// The frames of all calls are handled here, without a channel for each. Confined to the event-loop
/// thread.
final class GRPCConnection: ChannelInboundHandler, NIOHTTP2FrameDelegate, ManagedConnection {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  private let registry: ConnectionRegistry<GRPCConnection>
  private let limits: GRPCLimits
  private let methods: [String: GRPCMethod]
  /// Why a caller may not make one more costly call now; nil when it may.
  private let refuseCall: @Sendable (PeerCredentials?) -> GRPCStatus?
  private var context: ChannelHandlerContext?
  private var peer: PeerCredentials?
  private let number = ClientWatch.nextConnection()
  private var streams: [HTTP2StreamID: GRPCStream] = [:]
  private var lastStream = HTTP2StreamID.rootStream
  private var isPaid = false
  private var isDraining = false
  /// Whether the client was told that the connection ends.
  private var isLeaving = false
  /// Within a read, whose end sends what was written.
  private var isReading = false
  /// Since when there has been no call.
  private var idleSince = NIODeadline.now()

  init(
    registry: ConnectionRegistry<GRPCConnection>, limits: GRPCLimits,
    methods: [String: GRPCMethod], refuse: @escaping @Sendable (PeerCredentials?) -> GRPCStatus?
  ) {
    self.registry = registry
    self.limits = limits
    self.methods = methods
    refuseCall = refuse
  }

  // MARK: Channel events

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    peer = socketPeer(of: context.channel)
    guard registry.admit(self) else { return sendAway("too many connections", .tooManyConnections) }
    if let memory = limits.memory {
      isPaid = memory.take(limits.connectionBytes)
      guard isPaid else {
        return sendAway("the memory budget does not hold one more connection", .overMemory)
      }
    }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    for stream in streams.values { stream.client.leave() }
    streams.removeAll()
    if isPaid { limits.memory?.giveBack(limits.connectionBytes) }
    isPaid = false
    registry.remove(self)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let headers): receive(headers, frame.streamID)
    case .data(let data): receive(data, frame.streamID)
    // Pings and settings are answered below; a reset shows as the end of its stream.
    default: break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    context.flush()
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let event as NIOHTTP2WindowUpdatedEvent:
      if event.streamID == .rootStream, let window = event.inboundWindowSize { widen(window) }
    case let event as StreamClosedEvent: end(event.streamID)
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // An error of one call has reset it; one of the connection was answered with a farewell.
    if isLeaving { close() }
  }

  /// Told of every frame that leaves, those of the protocol's own among them.
  func wroteFrame(_ frame: HTTP2Frame) {
    if case .goAway = frame.payload { isLeaving = true }
  }

  // MARK: Requests

  private func receive(_ frame: HTTP2Frame.FramePayload.Headers, _ id: HTTP2StreamID) {
    if let stream = streams[id] {
      // Metadata behind the request.
      if frame.endStream { endInput(stream) }
      return
    }
    // A call that was answered before its request was whole.
    guard id > lastStream else { return }
    lastStream = id
    do throws(GRPCRequestHead.Refusal) {
      let head = try GRPCRequestHead(frame.headers)
      guard let method = methods[head.path] else {
        throw .status(GRPCStatus(.unimplemented, "unknown method \(head.path.prefix(200))"))
      }
      let stream = GRPCStream(id, method, head, memory: CallMemory(limits.memory), connection: number)
      streams[id] = stream
      if frame.endStream { endInput(stream) }
    } catch {
      switch error {
      case .http(let status): refuse(id, GRPCResponseHead.http(status), frame.endStream)
      case .status(let status, let headers):
        refuse(
          id, GRPCResponseHead.failed(status, isWhole: true, headers: headers), frame.endStream)
      }
    }
  }

  private func receive(_ frame: HTTP2Frame.FramePayload.Data, _ id: HTTP2StreamID) {
    guard let stream = streams[id], stream.isReceiving else {
      if frame.endStream { streams[id]?.hasInputEnded = true }
      return
    }
    if case .byteBuffer(let bytes) = frame.data {
      do throws(GRPCStatus) {
        try stream.reader.append(bytes, limits, stream.memory)
      } catch {
        stream.hasInputEnded = frame.endStream
        return refuse(stream, error)
      }
      if !frame.endStream { widen(stream) }
    }
    if frame.endStream { endInput(stream) }
  }

  private func endInput(_ stream: GRPCStream) {
    stream.hasInputEnded = true
    guard stream.isReceiving, let context else { return }
    let whole: GRPCMessageReader.Whole
    do throws(GRPCStatus) {
      let reader = stream.reader
      stream.reader = GRPCMessageReader()
      whole = try reader.finish(limits, stream.memory)
    } catch {
      return refuse(stream, error)
    }
    if stream.method.isCostly, let refusal = refuseCall(peer) { return fail(stream, refusal) }
    stream.enter(.answering)
    let asked = question(stream, whole, GRPCResponder(self, stream.id, loop: context.eventLoop))
    if let compute = limits.compute, whole.byteCount > limits.messageBytesInline {
      // Others would wait while it is read.
      compute(asked)
    } else {
      asked()
    }
  }

  /// Asks the method of a call, on whichever thread it is run.
  private func question(
    _ stream: GRPCStream, _ whole: GRPCMessageReader.Whole, _ responder: GRPCResponder
  ) -> @Sendable () -> Void {
    let (method, memory, client, headers) = (
      stream.method, stream.memory, stream.client, stream.headers
    )
    let deadline = stream.deadline?.uptimeNanoseconds
    return { [peer, refusals = limits.refusals] in
      do throws(GRPCStatus) {
        let call = GRPCCall(
          message: try whole.message(), peer: peer, memory: memory, deadline: deadline,
          client: client, headers: headers)
        method.body(call) { responder.answer($0) }
      } catch {
        refusals.count(.malformed)
        responder.answer(.failure(error))
      }
    }
  }

  /// Ends a call whose request cannot be taken.
  private func refuse(_ stream: GRPCStream, _ status: GRPCStatus) {
    switch status.code {
    case .resourceExhausted where stream.isReceiving:
      limits.refusals.count(status.retryMilliseconds == nil ? .tooLarge : .overMemory)
    case .internal: limits.refusals.count(.malformed)
    default: break
    }
    fail(stream, status)
  }

  // MARK: Replies

  /// Sends what the method of a call answered.
  func complete(_ id: HTTP2StreamID, _ reply: GRPCReply) {
    guard let stream = streams[id], stream.isAnswering else { return }
    switch reply {
    case .message(let message):
      guard !stream.isOverdue(.now()) else { return fail(stream, Self.overdue) }
      do throws(GRPCStatus) {
        try stream.memory.take(message.count)
      } catch {
        return fail(stream, error)
      }
      send(message, stream)
      finish(stream, GRPCResponseHead.succeeded)
    case .failure(let status): fail(stream, status)
    case .news(let news):
      stream.enter(.streaming(news))
      tell(stream, news)
    }
  }

  private func tell(_ stream: GRPCStream, _ news: @Sendable () -> [UInt8]?) {
    guard let message = news() else { return }
    send(message, stream)
    flush()
  }

  private func send(_ message: [UInt8], _ stream: GRPCStream) {
    var message = message
    GRPCFraming.seal(&message)
    if !stream.isBegun { write(stream.id, .headers(.init(headers: GRPCResponseHead.initial))) }
    stream.isBegun = true
    write(stream.id, .data(.init(data: .byteBuffer(ByteBuffer(bytes: message)))))
  }

  private func fail(_ stream: GRPCStream, _ status: GRPCStatus) {
    finish(stream, GRPCResponseHead.failed(status, isWhole: !stream.isBegun))
  }

  private func finish(_ stream: GRPCStream, _ trailers: HPACKHeaders) {
    stream.enter(.sending)
    stream.client.forget()
    refuse(stream.id, trailers, stream.hasInputEnded)
  }

  /// Sends the last metadata of a call, and stops a client that still sends.
  private func refuse(_ id: HTTP2StreamID, _ trailers: HPACKHeaders, _ hasInputEnded: Bool) {
    write(id, .headers(.init(headers: trailers, endStream: true)))
    if !hasInputEnded { write(id, .rstStream(.noError)) }
    flush()
  }

  private func write(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) {
    context?.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
  }

  private func flush() {
    if !isReading { context?.flush() }
  }

  /// Lets the client send a whole message, once its length is known and paid for.
  private func widen(_ stream: GRPCStream) {
    let missing = stream.reader.missingWindow(beyond: limits.streamWindow)
    guard missing > 0, !stream.isWidened else { return }
    stream.isWidened = true
    write(stream.id, .windowUpdate(windowSizeIncrement: missing))
    flush()
  }

  /// Lets the client send more on the whole connection, a half of the window at a time.
  private func widen(_ window: Int) {
    guard window < limits.connectionWindow / 2 else { return }
    write(.rootStream, .windowUpdate(windowSizeIncrement: limits.connectionWindow - window))
    flush()
  }

  // MARK: The end

  private func end(_ id: HTTP2StreamID) {
    streams.removeValue(forKey: id)?.client.leave()
    guard streams.isEmpty else { return }
    idleSince = .now()
    if isDraining { closeSoon() }
  }

  /// Takes no more calls, and closes behind the last one.
  func drain() {
    guard !isDraining else { return }
    isDraining = true
    sayFarewell(.noError, "shutting down")
    if streams.isEmpty { closeSoon() }
  }

  private func sendAway(_ reason: String, _ kind: RefusalCounter.Reason) {
    limits.refusals.count(kind)
    sayFarewell(.enhanceYourCalm, reason)
    closeSoon()
  }

  private func sayFarewell(_ code: HTTP2ErrorCode, _ reason: String) {
    write(
      .rootStream,
      .goAway(
        lastStreamID: lastStream, errorCode: code, opaqueData: ByteBuffer(string: reason)))
    context?.flush()
  }

  /// Ends the output behind the frames that this turn of the loop still writes, and closes when the
  /// client does, or has had its time.
  ///
  /// Closing at once would fail what the client still sends, and with it what it has not read yet.
  private func closeSoon() {
    guard let context else { return }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.eventLoop.execute { bound.value.context?.close(mode: .output, promise: nil) }
    let linger = TimeAmount.milliseconds(Int64(limits.lingerMilliseconds))
    context.eventLoop.scheduleTask(in: linger) { bound.value.close() }
  }

  func close() { context?.close(promise: nil) }

  /// Looks after deadlines, slow clients, streams of news, and connections without calls.
  func tick(_ now: NIODeadline) {
    let patience = TimeAmount.milliseconds(Int64(limits.requestMilliseconds))
    for stream in Array(streams.values) {
      switch stream.phase {
      case .sending:
        if now - stream.since > patience {
          limits.refusals.count(.tooSlow)
          return close()
        }
        continue
      case .receiving where now - stream.since > patience:
        limits.refusals.count(.tooSlow)
        fail(
          stream,
          GRPCStatus(
            .deadlineExceeded, "The request took longer than \(limits.requestMilliseconds) ms."))
        continue
      case .streaming(let news): if !stream.isOverdue(now) { tell(stream, news) }
      case .receiving, .answering: break
      }
      if stream.isOverdue(now) { fail(stream, Self.overdue) }
    }
    let idle = TimeAmount.milliseconds(Int64(limits.idleMilliseconds))
    if streams.isEmpty, now - idleSince > idle { drain() }
  }

  private static let overdue = GRPCStatus(.deadlineExceeded, "Deadline exceeded")
}
