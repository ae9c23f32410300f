import JSONDocuments
import Logging
import Serving
import Synchronization

/// Writes down requests, one JSON object a line, in a ring of files: which model was asked, how it
/// ended and how long it took, never what was asked or answered.
final class RequestLog: Sendable {
  private let configuration: RequestLogConfiguration
  private let log: Logger
  private let thread: JobThreads
  private let ring: Mutex<RingFile>
  private let waiting = Atomic<Int>(0)
  private let droppedCount = Atomic<UInt64>(0)

  /// - Throws: when the directory cannot be made, or the file not opened.
  init(_ configuration: RequestLogConfiguration, log: Logger) throws(AgentError) {
    try Directories.make(configuration.directory)
    ring = Mutex(
      try RingFile(
        path: configuration.directory + "/requests", bytesMaximum: configuration.fileBytes,
        files: configuration.files))
    self.configuration = configuration
    self.log = log
    thread = JobThreads(
      name: "request-log", threads: 1, stackBytes: AgentLimits.pollStackBytes, niceness: 10)
  }

  /// Requests that were to be written down while too many others waited for that.
  var dropped: UInt64 { droppedCount.load(ordering: .relaxed) }

  func write(_ record: RequestRecord) {
    guard record.outcome == .ok || configuration.failures else { return }
    guard waiting.load(ordering: .relaxed) < AgentLimits.requestLogWaitingMaximum else {
      droppedCount.add(1, ordering: .relaxed)
      return
    }
    waiting.add(1, ordering: .relaxed)
    thread.submit { [self] in
      waiting.subtract(1, ordering: .relaxed)
      let line = ((try? JSONDocument.encode(Line(record))) ?? []) + [UInt8(ascii: "\n")]
      let status = ring.withLock { $0.append(line) }
      if let status {
        log.error("a request cannot be written down", metadata: ["errno": "\(status)"])
      }
    }
  }

  /// Writes what waits, and ends.
  func shutdown() {
    _ = thread.shutdown(until: MonotonicClock.now() + AgentLimits.requestLogDrainNanoseconds)
  }

  private struct Line: Encodable {
    struct Input: Encodable {
      var name: String
      var type: String
      var shape: [Int]
    }

    /// Seconds since 1970.
    var time: Double
    var model: String
    var version: Int64
    var outcome: String
    var rows: Int
    var queue_us: UInt64
    var infer_us: UInt64
    var inputs: [Input]
    var trace_id: String?
    var parent_id: String?

    init(_ record: RequestRecord) {
      time = Double(record.milliseconds) / 1000
      model = record.model
      version = record.version
      outcome = record.outcome.rawValue
      rows = record.rows
      queue_us = record.queueNanoseconds / 1000
      infer_us = record.inferNanoseconds / 1000
      inputs = record.inputs.map {
        Input(name: $0.name, type: $0.type, shape: $0.extents)
      }
      trace_id = record.trace?.traceID
      parent_id = record.trace?.parentID
    }
  }
}
