/// Where a version is in its life.
package enum VersionState: String, Sendable, CaseIterable {
  case offered, fetching, staged, preparing, proving, serving, draining, retired, refused
  case rolledBack = "rolled-back"
}

/// Quantiles of the time from admission to reply, in microseconds.
package struct LatencyQuantiles: Sendable, Equatable {
  package var p50: Int
  package var p95: Int
  package var p99: Int

  package init(p50: Int, p95: Int, p99: Int) {
    self.p50 = p50
    self.p95 = p95
    self.p99 = p99
  }
}

/// The bytes that a version holds while it is loaded; all zero before and after.
package struct VersionMemory: Sendable, Equatable {
  /// Packed weights in anonymous memory.
  package var weightsBytes: Int
  /// Packed weights in a mapped file.
  package var fileBackedBytes: Int
  /// Activations, over all instances.
  package var arenaBytes: Int
  /// Kernel scratch, over all instances.
  package var scratchBytes: Int
  /// Kept answers, at most.
  package var cacheBytes: Int

  package init(
    weightsBytes: Int = 0, fileBackedBytes: Int = 0, arenaBytes: Int = 0, scratchBytes: Int = 0,
    cacheBytes: Int = 0
  ) {
    self.cacheBytes = cacheBytes
    self.weightsBytes = weightsBytes
    self.fileBackedBytes = fileBackedBytes
    self.arenaBytes = arenaBytes
    self.scratchBytes = scratchBytes
  }

  /// What the ledger is charged.
  package var totalBytes: Int {
    weightsBytes + fileBackedBytes + arenaBytes + scratchBytes + cacheBytes
  }
}

/// Runs of a model with one number of rows.
package struct RunCount: Sendable, Equatable {
  package var count: UInt64 = 0
  package var nanoseconds: UInt64 = 0

  package init() {}
}

/// One version as `status` shows it.
package struct VersionStatus: Sendable {
  package var model: String
  package var version: Int64
  package var state: VersionState
  /// Labels that point at this version, sorted.
  package var labels: [String]
  /// Why the version was refused, retired early or rolled back.
  package var cause: LoadFailure?
  /// Requests admitted, answered or not.
  package var requests: UInt64
  /// Requests that ended in an error.
  package var errors: UInt64
  /// Requests by outcome, without those that never occurred.
  package var outcomes: [RequestOutcome: UInt64]
  package var latencyMicroseconds: LatencyQuantiles
  package var memory: VersionMemory
  /// The times of answered requests, by stage.
  package var stages: [RequestStage: DurationHistogram] = [:]
  /// The times of answered requests from admission to reply.
  package var latency = LatencyHistogram()
  /// Answered requests that were found among the kept answers, and those that were not.
  package var cacheHits: UInt64 = 0
  package var cacheMisses: UInt64 = 0
  /// Requests that wait for an instance.
  package var waiting = 0
  /// Runs of the model, by the rows that each took at once.
  package var runs: [Int: RunCount] = [:]
  /// How requests are run together.
  package var batching = BatchingStatus()
  /// How many requests are run side by side.
  package var instances = InstanceCount()
  /// Why packed weights lie in anonymous memory; nil when they lie in a file.
  package var weightsRefusal: WeightsRefusal?
  /// Rows that were answered.
  package var rows: UInt64 = 0
  /// Milliseconds since 1970; 0 before the first answer.
  package var lastAnswerMilliseconds: Int64 = 0
  /// How long it took to bring the version into service; 0 before it was.
  package var loadNanoseconds: UInt64 = 0

  package init(
    model: String, version: Int64, state: VersionState, labels: [String] = [],
    cause: LoadFailure? = nil, requests: UInt64 = 0, errors: UInt64 = 0,
    outcomes: [RequestOutcome: UInt64] = [:],
    latencyMicroseconds: LatencyQuantiles = LatencyQuantiles(p50: 0, p95: 0, p99: 0),
    memory: VersionMemory = VersionMemory()
  ) {
    self.model = model
    self.version = version
    self.state = state
    self.labels = labels
    self.cause = cause
    self.requests = requests
    self.errors = errors
    self.outcomes = outcomes
    self.latencyMicroseconds = latencyMicroseconds
    self.memory = memory
  }
}
