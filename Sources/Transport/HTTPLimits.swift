/// What one server accepts; each bound holds for one connection unless it says otherwise.
package struct HTTPLimits: Sendable {
  /// Bytes of the request target, and of one header field.
  package var fieldBytesMaximum = 8 * 1024
  /// Bytes of all header fields of a request.
  package var headerBytesMaximum = 32 * 1024
  package var headerCountMaximum = 64
  /// Bytes of a body that are taken whatever is asked.
  package var bodyBytesMaximum = 64 * 1024
  /// What bounds a larger body of a request with this method and path; asked once for each request
  /// that has one. Nil, or where it gives nil, larger ones are refused.
  package var bodyBound: (@Sendable (_ method: String, _ path: String) -> BodyBound?)?
  /// Bytes to which a body is decompressed on the event-loop thread.
  package var expandedBytesInline = 1 << 20
  /// Runs what decompresses a larger one, on another thread; nil to do all on the event-loop thread.
  package var compute: (@Sendable (@escaping @Sendable () -> Void) -> Void)?
  /// Connections of the whole server; more are told 503 and closed.
  package var connectionsMaximum = 256
  /// How long a connection may wait between two requests.
  package var idleMilliseconds = 120_000
  /// How long a request may take to arrive, from its first byte to its last, and a client may
  /// leave a response unread.
  package var requestMilliseconds = 30_000
  /// How long the rest of a refused request is read and thrown away before the connection closes.
  package var lingerMilliseconds = 500

  /// Bytes that an open connection is counted with: its buffers, its fields, and a small request
  /// with its response.
  package var connectionBytes = 32 * 1024
  /// How often the bytes of a small body are held at once: as they came, and as tensors, which JSON
  /// of two characters an element doubles.
  package var bodyCopies = 3
  /// Pays for connections and bodies; nil when nobody counts.
  package var memory: (any ConnectionMemory)?
  /// Told of what is refused before the handler is asked.
  package var refusals = RefusalCounter()

  /// What every request must show; nil where the system says who comes.
  package var token: BearerToken?

  package init() {}

  /// How often slow clients are looked after.
  var tickMilliseconds: Int { min(max(min(idleMilliseconds, requestMilliseconds) / 4, 10), 5_000) }
}
