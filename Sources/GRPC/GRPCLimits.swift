package import Transport

/// What one server accepts; each bound holds for one connection unless it says otherwise.
package struct GRPCLimits: Sendable {
  /// Bytes of a request message that are taken whatever is asked.
  package var messageBytesMaximum = 64 * 1024
  /// Bytes of the largest message that is taken now; nil for no larger ones.
  package var largerMessages: (@Sendable () -> Int)?
  /// Bytes that a client may send of one call before it must wait, as long as the length of its
  /// message is not known, and of all calls together.
  package var streamWindow = 1 << 20
  package var connectionWindow = 4 << 20
  /// Bytes of the metadata of one call, as HTTP/2 counts them.
  package var metadataBytesMaximum = 16 * 1024
  /// Calls under way.
  package var callsMaximum = 100
  /// Connections of the whole server; more are sent away.
  package var connectionsMaximum = 256
  /// Bytes of one HTTP/2 frame that are accepted.
  package var frameBytesMaximum = 1 << 20
  /// How long a connection may stay without a call.
  package var idleMilliseconds = 600_000
  /// How long a request may take to arrive, and a client may leave a reply unread.
  package var requestMilliseconds = 30_000
  /// How long a client that was told to leave may take.
  package var lingerMilliseconds = 500
  /// How often deadlines, slow clients and streams of news are looked after.
  package var tickMilliseconds = 500
  /// Calls that a client may reset, and pings and settings that it may send, within
  /// `rateWindowMilliseconds`.
  package var resetsMaximum = 2_000
  package var controlFramesMaximum = 1_000
  package var rateWindowMilliseconds = 10_000

  /// Bytes that an open connection is counted with: its buffers, its tables of metadata.
  package var connectionBytes = 64 * 1024
  /// Bytes that a call is counted with besides its messages.
  package var callBytes = 4 * 1024
  /// How often the bytes of a request are held at once: as they came, and as tensors.
  package var messageCopies = 2
  /// Bytes of a message, decompressed, that is read on the event-loop thread.
  package var messageBytesInline = 1 << 20
  /// Runs what reads a larger message, on another thread; nil to read all on the event-loop thread.
  package var compute: (@Sendable (@escaping @Sendable () -> Void) -> Void)?
  /// Pays for connections and calls; nil when nobody counts.
  package var memory: (any ConnectionMemory)?
  /// Told of what is refused before a method is asked.
  package var refusals = RefusalCounter()

  package init() {}
}
