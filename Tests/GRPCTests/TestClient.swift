import GRPC
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Synchronization

/// What a client sees of one call.
struct Answer: Sendable {
  /// The metadata before the first message.
  var initial: [String: String] = [:]
  /// The metadata behind the last message; those of a call without messages.
  var trailers: [String: String] = [:]
  var data: [UInt8] = []
  var resetCode: HTTP2ErrorCode?

  var code: GRPCCode? { trailers["grpc-status"].flatMap { Int($0) }.flatMap { GRPCCode(rawValue: $0) } }

  /// The messages, without their prefixes.
  var messages: [[UInt8]] {
    var messages: [[UInt8]] = []
    var rest = data[...]
    while rest.count >= 5 {
      let start = rest.startIndex
      let length = rest[(start + 1)..<(start + 5)].reduce(0) { $0 << 8 | Int($1) }
      messages.append(Array(rest[(start + 5)..<(start + 5 + length)]))
      rest = rest[(start + 5 + length)...]
    }
    return messages
  }
}

/// An HTTP/2 client that sends whatever frames a test wants.
final class TestClient: Sendable {
  private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let channel: any Channel
  private let collector: NIOLoopBound<Collector>

  init(_ path: String, settings: HTTP2Settings = []) throws {
    let loop = Self.group.next()
    let collector = try loop.submit { NIOLoopBound(Collector(loop), eventLoop: loop) }.wait()
    self.collector = collector
    channel = try ClientBootstrap(group: loop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers(
            NIOHTTP2Handler(mode: .client, initialSettings: settings), collector.value)
        }
      }
      .connect(unixDomainSocketPath: path).wait()
  }

  deinit { channel.close(promise: nil) }

  /// Bytes of a message with its prefix.
  static func framed(_ message: [UInt8], flag: UInt8 = 0) -> [UInt8] {
    let count = UInt32(message.count)
    return [flag] + (0..<4).map { UInt8(truncatingIfNeeded: count >> UInt32(24 - 8 * $0)) } + message
  }

  /// Begins a call, with `pieces` as one DATA frame each; the answer comes when the stream ends.
  func start(
    _ path: String, _ pieces: [[UInt8]], headers: [(String, String)] = [], method: String = "POST",
    contentType: String = "application/grpc", ends: Bool = true
  ) -> (id: HTTP2StreamID, answer: EventLoopFuture<Answer>) {
    let fields = HPACKHeaders(
      [
        (":method", method), (":scheme", "http"), (":path", path), (":authority", "localhost"),
        ("content-type", contentType), ("te", "trailers"),
      ] + headers)
    let collector = collector
    let channel = channel
    let started = channel.eventLoop.submit {
      let id = collector.value.nextID()
      var frames: [HTTP2Frame.FramePayload] = [
        .headers(.init(headers: fields, endStream: pieces.isEmpty && ends))
      ]
      for (index, piece) in pieces.enumerated() {
        let isLast = ends && index == pieces.count - 1
        frames.append(
          .data(.init(data: .byteBuffer(ByteBuffer(bytes: piece)), endStream: isLast)))
      }
      let answer = collector.value.expect(id)
      for frame in frames {
        channel.write(HTTP2Frame(streamID: id, payload: frame), promise: nil)
      }
      channel.flush()
      return (id, answer)
    }
    // The client's own loop answers; a failure to send shows as an answer that never comes.
    return try! started.wait()
  }

  /// Makes a call and waits for its end.
  func call(
    _ path: String, _ message: [UInt8], headers: [(String, String)] = []
  ) throws -> Answer {
    try start(path, [Self.framed(message)], headers: headers).answer.wait()
  }

  func reset(_ id: HTTP2StreamID) throws {
    try channel.writeAndFlush(HTTP2Frame(streamID: id, payload: .rstStream(.cancel))).wait()
  }

  /// The code of the farewell that the server has sent; nil for none.
  var farewell: HTTP2ErrorCode? {
    let collector = collector
    return try? channel.eventLoop.submit { collector.value.farewell }.wait()
  }

  /// What has come of a call that goes on.
  func partial(_ id: HTTP2StreamID) throws -> Answer {
    let collector = collector
    return try channel.eventLoop.submit { collector.value.answers[id] ?? Answer() }.wait()
  }
}

/// Gathers what comes back, by stream.
private final class Collector: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame

  private let loop: any EventLoop
  private var count = 0
  private(set) var answers: [HTTP2StreamID: Answer] = [:]
  private(set) var farewell: HTTP2ErrorCode?
  private var promises: [HTTP2StreamID: EventLoopPromise<Answer>] = [:]

  init(_ loop: any EventLoop) { self.loop = loop }

  func nextID() -> HTTP2StreamID {
    count += 1
    return HTTP2StreamID(2 * count - 1)
  }

  func expect(_ id: HTTP2StreamID) -> EventLoopFuture<Answer> {
    answers[id] = Answer()
    let promise = loop.makePromise(of: Answer.self)
    promises[id] = promise
    return promise.futureResult
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let headers):
      let fields = Dictionary(
        headers.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
      if headers.endStream {
        answers[frame.streamID]?.trailers = fields
      } else {
        answers[frame.streamID]?.initial = fields
      }
    case .data(let data):
      guard case .byteBuffer(let bytes) = data.data else { return }
      answers[frame.streamID]?.data += Array(bytes.readableBytesView)
      let count = bytes.readableBytes
      guard count > 0 else { return }
      // What was read may be sent again.
      for id in [frame.streamID, .rootStream] {
        let update = HTTP2Frame(streamID: id, payload: .windowUpdate(windowSizeIncrement: count))
        context.write(NIOAny(update), promise: nil)
      }
      context.flush()
    case .goAway(_, let code, _): farewell = code
    default: break
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? StreamClosedEvent {
      answers[event.streamID]?.resetCode = event.reason
      finish(event.streamID)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    for id in Array(promises.keys) { finish(id) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {}

  private func finish(_ id: HTTP2StreamID) {
    promises.removeValue(forKey: id)?.succeed(answers[id] ?? Answer())
  }
}
