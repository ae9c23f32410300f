/// Every bound of the serving side, named once.
package struct ServingLimits: Sendable {
  /// Requests of one model that wait while a drain-first switch is under way.
  package var parkedRequestsMaximum = 1024
  /// How long a request waits for a drain-first switch.
  package var parkedMilliseconds = 10_000
  /// Requests of one version that wait for an instance.
  package var queueDepthMaximum = 256
  /// How long a request waits for an instance; nil for as long as its client says.
  package var queueMillisecondsMaximum: Int?
  /// Rows of one request.
  package var batchMaximum = 256
  /// Inferences of noise through a model whose shapes follow from values, when it is loaded.
  package var shapeTrials = 4
  /// Rows that are run together, whatever a model is allowed.
  package static let batchRowsMaximum = 32
  /// Rows that are run together of models that say nothing of it; 1 for none.
  package var batchRowsDefault = 1
  /// A run of several rows takes at most this, as measured when the version is loaded.
  package var batchMicrosecondsMaximum = 50_000
  /// By how much more rows must be faster for each row than fewer, in thousandths.
  package var batchGainMinimum = 50
  /// Timed runs of each number of rows.
  package var batchRuns = 5
  /// Versions with a measured median below this run on the thread that brings the request.
  package var inlineThresholdMicroseconds = 200
  /// How long requests that were recorded for warm-up are run when a version is loaded.
  package var warmUpMilliseconds = 30_000
  /// Timed runs whose median decides where a version runs.
  package var latencyRuns = 7
  /// Timed runs end after this, however few there were.
  package var latencyMeasurementMilliseconds = 500
  /// Microseconds by which a version may be slower than the one before it, whatever the ratio.
  package var latencySlackMicroseconds = 100
  /// How long a drain-first switch waits for the requests of the version that leaves.
  package var drainMilliseconds = 30_000
  /// How often a wait on the loader thread looks whether the agent is shutting down.
  package var shutdownPollMilliseconds = 100
  /// Retired and refused versions that a model's status keeps.
  package var historyMaximum = 8
  /// Instances of each version of models that say nothing of it.
  package var instancesDefault = 1
  /// Instances of one version, whatever a model is allowed.
  package static let instancesMaximum = 16
  /// Loads that wait for the loader thread.
  package var loadQueueMaximum = 256
  /// Versions of a composite's members that are looked at together when one of them arrives; beyond
  /// these, each canary is looked at beside what serves of the others.
  package var combinationsMaximum = 64
  /// Models of one agent.
  package var modelsMaximum = 256
  /// How often deadlines are looked after while requests that have one wait.
  package var deadlineSweepMilliseconds = 2
  /// Bytes of the stack of the thread that does so, and that writes the refusals.
  package var timerStackBytes = 256 * 1024
  /// Bytes of a compute thread's stack.
  package var computeStackBytes = 512 * 1024
  /// Bytes of the loader thread's stack; parsers recurse to a bounded depth.
  package var loaderStackBytes = 1024 * 1024
  /// The nice value of the loader thread.
  package var loaderNiceness: Int32 = 10

  /// The nice value of the thread that runs requests again on a shadow.
  package var shadowNiceness: Int32 = 19

  /// Packed weights of fewer bytes are not worth a file.
  package var keptWeightsBytesMinimum = 64 * 1024
  /// How often the weights that serve from files are checked.
  package var scrubMilliseconds = 7 * 86_400_000
  /// How long a file must lie unchanged before its times vouch for its content.
  static let stampNanosecondsMinimum: Int64 = 2_000_000_000

  /// Bytes of a reply's tensors that are not charged by themselves.
  package var replyBytesFree = 4096
  /// How often the bytes of a reply are held at once: as tensors, and as text of up to sixteen
  /// characters for four bytes, which is copied once when it is sent.
  package var replyCopies = 9

  package init() {}
}
