/// Asks an edgeserve agent on this device for predictions, over its Unix socket.
///
/// Calls may come from any task, as many at once as like. Each connection has a thread of its own, which starts with the
/// first call that needs it and ends with the client; calls beyond the connections wait, in order. A task that is
/// cancelled takes its call back. Connections are opened when they are needed, and anew after the agent has restarted.
public final class EdgeServeClient: Sendable {
  /// How a client behaves.
  public struct Configuration: Sendable {
    /// The agent's data socket.
    public var socketPath: String
    /// Connections, and with them calls that run at once.
    public var connectionsMaximum = 2
    /// Calls that wait for a connection; more fail with `tooManyWaiting`.
    public var waitingMaximum = 64
    /// How long a call may take that does not say so itself; zero for 30 seconds.
    public var timeout = Duration.seconds(30)
    /// How long a call goes on trying to connect while there is no agent, as when it restarts.
    public var reconnect = Duration.zero
    /// Bytes of a request's tensors, and of an answer.
    public var bodyBytesMaximum = 64 << 20

    public init(socketPath: String) { self.socketPath = socketPath }
  }

  private let pool: ConnectionPool

  /// Connects with the first call.
  ///
  /// - Throws: `EdgeServeError` with `invalidArgument` for what the configuration cannot say.
  public init(_ configuration: Configuration) throws(EdgeServeError) {
    guard 1...64 ~= configuration.connectionsMaximum, configuration.waitingMaximum >= 0 else {
      throw EdgeServeError(
        .invalidArgument,
        "connectionsMaximum is \(configuration.connectionsMaximum), it must be 1 to 64; "
          + "waitingMaximum is \(configuration.waitingMaximum), it must be 0 or more")
    }
    // A path or a time that no connection takes is told here, not by the first call.
    _ = try Connection(configuration)
    pool = ConnectionPool(configuration)
  }

  /// A client of the agent at `socketPath`, and for the rest as is usual.
  public convenience init(socketPath: String) throws(EdgeServeError) {
    try self.init(Configuration(socketPath: socketPath))
  }

  deinit { pool.close() }

  /// Ends the client: calls that wait or come fail with `closed`, those that run end as they would.
  public func close() { pool.close() }

  /// Runs a model on named tensors.
  public func predict(
    _ model: String, version: ModelVersion = .serving, _ inputs: [Tensor],
    options: PredictionOptions = PredictionOptions()
  ) async throws(EdgeServeError) -> Prediction {
    let start = ContinuousClock.now
    return try await pool.run { connection throws(EdgeServeError) in
      var options = options
      if let timeout = options.timeout {
        let left = timeout - start.duration(to: .now)
        guard left > .zero else {
          throw EdgeServeError(.deadlineExceeded, "no connection was free in time")
        }
        options.timeout = left
      }
      return try connection.predict(model, version, inputs, options)
    }
  }

  /// What a model takes and gives.
  public func metadata(
    of model: String, version: ModelVersion = .serving
  ) async throws(EdgeServeError) -> ModelMetadata {
    try await pool.run { connection throws(EdgeServeError) in
      try connection.metadata(model, version)
    }
  }

  /// Every version that serves, of all models.
  public func models() async throws(EdgeServeError) -> [ServedModel] {
    try await pool.run { connection throws(EdgeServeError) in try connection.models() }
  }

  /// Whether every model that the agent is to serve does.
  public func isReady() async throws(EdgeServeError) -> Bool {
    try await pool.run { connection throws(EdgeServeError) in try connection.isReady() }
  }

  /// Whether a model, or one version of it, serves.
  public func isReady(
    _ model: String, version: ModelVersion = .serving
  ) async throws(EdgeServeError) -> Bool {
    try await pool.run { connection throws(EdgeServeError) in
      try connection.isReady(model, version)
    }
  }
}
