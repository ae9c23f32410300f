import JSONDocuments
import Logging
import Serving

/// What the log and traces are set to, which holds until it is changed again or the agent restarts.
///
/// The log's threshold takes the place of Triton Inference Server's switches, the sample of the
/// request log that of its traces.
package struct RuntimeSettings: Sendable {
  let sampler: RequestSampler
  /// Whether there is a log of requests for traces to go to.
  let hasRequestLog: Bool

  /// Why settings were not changed, for whoever asked.
  package struct Refusal: Error {
    package var sentence: String
  }

  // MARK: The log

  package var log: LogSettings { LogSettings(LogThreshold.level) }

  /// Changes what `wanted` names.
  package func change(_ wanted: LogSettings) throws(Refusal) {
    guard wanted.log_file ?? "" == "", wanted.log_format ?? "default" == "default" else {
      throw Refusal(sentence: "log_file and log_format cannot be changed")
    }
    LogThreshold.level = wanted.level(log)
  }

  // MARK: Traces

  package var trace: TraceReport {
    let share = sampler.shareOfAnswered
    let rate = share > 0 ? max(1, RequestSampler.shareWhole / share) : 0
    return TraceReport(
      trace_level: [hasRequestLog && share > 0 ? "TIMESTAMPS" : "OFF"], trace_rate: "\(rate)")
  }

  /// Changes what `wanted` names.
  package func change(_ wanted: TraceSettings) throws(Refusal) {
    let levels = wanted.trace_level ?? ["TIMESTAMPS"]
    guard levels == ["OFF"] || levels == ["TIMESTAMPS"] else {
      throw Refusal(
        sentence:
          "trace_level is one of OFF and TIMESTAMPS: what requests hold is never written down")
    }
    guard levels == ["OFF"] || hasRequestLog else {
      throw Refusal(
        sentence: "there is no request_log in the agent's configuration for traces to go to")
    }
    let present = RequestSampler.shareWhole / max(1, sampler.shareOfAnswered)
    let rate = wanted.trace_rate?.value ?? present
    guard (1...RequestSampler.shareWhole).contains(rate) else {
      throw Refusal(
        sentence: "trace_rate is \(rate); it must be 1 to \(RequestSampler.shareWhole)")
    }
    sampler.setShare(levels == ["OFF"] ? 0 : RequestSampler.shareWhole / rate)
  }
}

/// Triton's switches of the log; nil for those that a change leaves alone.
package struct LogSettings: Codable {
  package var log_file: String?
  package var log_info: Bool?
  package var log_warning: Bool?
  package var log_error: Bool?
  package var log_verbose_level: Int?
  package var log_format: String?

  private enum Key: String, CodingKey, CaseIterable {
    case log_file, log_info, log_warning, log_error, log_verbose_level, log_format
  }

  package init() {}

  init(_ level: Logger.Level) {
    log_file = ""
    log_info = level <= .notice
    log_warning = level <= .warning
    log_error = level <= .error
    log_verbose_level = level == .trace ? 2 : level == .debug ? 1 : 0
    log_format = "default"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: Key.self)
    log_file = try values.decodeIfPresent(String.self, forKey: .log_file)
    log_info = try values.decodeIfPresent(Bool.self, forKey: .log_info)
    log_warning = try values.decodeIfPresent(Bool.self, forKey: .log_warning)
    log_error = try values.decodeIfPresent(Bool.self, forKey: .log_error)
    log_verbose_level = try values.decodeIfPresent(Int.self, forKey: .log_verbose_level)
    log_format = try values.decodeIfPresent(String.self, forKey: .log_format)
  }

  /// The threshold that these switches stand for, those that are left out as in `present`.
  func level(_ present: LogSettings) -> Logger.Level {
    switch log_verbose_level ?? present.log_verbose_level ?? 0 {
    case 2...: .trace
    case 1: .debug
    default:
      if log_info ?? present.log_info ?? false {
        .info
      } else if log_warning ?? present.log_warning ?? false {
        .warning
      } else {
        log_error ?? present.log_error ?? false ? .error : .critical
      }
    }
  }
}

/// Settings of traces; nil for those that a change leaves alone.
package struct TraceSettings: Decodable {
  /// A number, or the same as text.
  package struct Count: Decodable {
    package var value: Int

    package init(_ value: Int) { self.value = value }

    package init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int.self) {
        value = number
        return
      }
      guard let number = Int(try container.decode(String.self)) else {
        throw AgentError.invalidValue(key: "trace_rate", value: "text", expected: "a number")
      }
      value = number
    }
  }

  package var trace_level: [String]?
  package var trace_rate: Count?

  private enum Key: String, CodingKey, CaseIterable { case trace_level, trace_rate }

  package init() {}

  package init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: Key.self)
    trace_level = try values.decodeIfPresent([String].self, forKey: .trace_level)
    trace_rate = try values.decodeIfPresent(Count.self, forKey: .trace_rate)
  }
}

/// What traces are set to, in Triton's names; what has no meaning here has the value that says so.
package struct TraceReport: Encodable {
  package var trace_level: [String]
  package var trace_rate: String
  package var trace_count = "-1"
  package var log_frequency = "0"
  package var trace_file = ""
}
