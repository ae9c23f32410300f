import JSONDocuments
import Logging
import Serving
import Transport

/// Log and trace settings under the names of Triton Inference Server's extensions `logging` and
/// `trace`: what is shown to everybody, and changed on the admin socket alone.
///
/// The log's threshold takes the place of its switches, the sample of the request log that of
/// traces: they hold until the agent restarts.
struct SettingsRoutes: Sendable {
  private static let ofModel = "/v2/models/"
  private static let trace = "/trace/setting"

  let sampler: RequestSampler
  /// Whether there is a log of requests for traces to go to.
  let hasRequestLog: Bool

  /// Answers a request for settings and returns true; leaves any other alone.
  ///
  /// - Parameter mayChange: whether whoever asks administrates the agent.
  func handle(
    _ request: HTTPRequest, mayChange: Bool,
    _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) -> Bool {
    let path = request.path
    let isModels = path.hasPrefix(Self.ofModel) && path.hasSuffix(Self.trace)
    guard path == "/v2/logging" || path == "/v2" + Self.trace || isModels else { return false }
    guard ["GET", "HEAD", "POST"].contains(request.method) else {
      respond(.error(405, "Method Not Allowed", headers: [("Allow", "GET, POST")]))
      return true
    }
    if request.method == "POST", !mayChange {
      respond(.error(403, "This API is restricted: settings are changed on the admin socket"))
      return true
    }
    if path == "/v2/logging" {
      respond(logging(request))
    } else if isModels, request.method == "POST" {
      respond(.error(400, "trace settings are of all models: POST /v2/trace/setting"))
    } else {
      respond(tracing(request))
    }
    return true
  }

  // MARK: Logging

  private struct LogSettings: Codable {
    var log_file: String?
    var log_info: Bool?
    var log_warning: Bool?
    var log_error: Bool?
    var log_verbose_level: Int?
    var log_format: String?

    enum Key: String, CodingKey, CaseIterable {
      case log_file, log_info, log_warning, log_error, log_verbose_level, log_format
    }

    init(_ level: Logger.Level) {
      log_file = ""
      log_info = level <= .notice
      log_warning = level <= .warning
      log_error = level <= .error
      log_verbose_level = level == .trace ? 2 : level == .debug ? 1 : 0
      log_format = "default"
    }

    init(from decoder: any Decoder) throws {
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

  private func logging(_ request: HTTPRequest) -> HTTPResponse {
    if request.method == "POST" {
      do {
        let wanted = try JSONDocument.decode(LogSettings.self, from: request.body)
        guard wanted.log_file ?? "" == "", wanted.log_format ?? "default" == "default" else {
          return .error(400, "log_file and log_format cannot be changed")
        }
        LogThreshold.level = wanted.level(LogSettings(LogThreshold.level))
      } catch let error as AgentError {
        return .error(400, error.sentence)
      } catch {
        return .error(400, "the request body is no object of log settings")
      }
    }
    return .json((try? JSONDocument.encode(LogSettings(LogThreshold.level))) ?? [])
  }

  // MARK: Tracing

  /// A number, or the same as text.
  private struct Count: Decodable {
    var value: Int

    init(from decoder: any Decoder) throws {
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

  private struct TraceSettings: Decodable {
    var trace_level: [String]?
    var trace_rate: Count?

    enum Key: String, CodingKey, CaseIterable { case trace_level, trace_rate }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: Key.self)
      trace_level = try values.decodeIfPresent([String].self, forKey: .trace_level)
      trace_rate = try values.decodeIfPresent(Count.self, forKey: .trace_rate)
    }
  }

  private struct TraceReply: Encodable {
    var trace_level: [String]
    var trace_rate: String
    var trace_count = "-1"
    var log_frequency = "0"
    var trace_file = ""
  }

  private func tracing(_ request: HTTPRequest) -> HTTPResponse {
    if request.method == "POST" {
      do {
        let wanted = try JSONDocument.decode(TraceSettings.self, from: request.body)
        if let refusal = change(wanted) { return .error(400, refusal) }
      } catch let error as AgentError {
        return .error(400, error.sentence)
      } catch {
        return .error(400, "the request body is no object of trace settings")
      }
    }
    let share = sampler.shareOfAnswered
    let rate = share > 0 ? max(1, RequestSampler.shareWhole / share) : 0
    let reply = TraceReply(
      trace_level: [hasRequestLog && share > 0 ? "TIMESTAMPS" : "OFF"], trace_rate: "\(rate)")
    return .json((try? JSONDocument.encode(reply)) ?? [])
  }

  /// Why nothing was changed; nil when it was.
  private func change(_ wanted: TraceSettings) -> String? {
    let levels = wanted.trace_level ?? ["TIMESTAMPS"]
    guard levels == ["OFF"] || levels == ["TIMESTAMPS"] else {
      return "trace_level is one of OFF and TIMESTAMPS: what requests hold is never written down"
    }
    guard levels == ["OFF"] || hasRequestLog else {
      return "there is no request_log in the agent's configuration for traces to go to"
    }
    let present = RequestSampler.shareWhole / max(1, sampler.shareOfAnswered)
    let rate = wanted.trace_rate?.value ?? present
    guard (1...RequestSampler.shareWhole).contains(rate) else {
      return "trace_rate is \(rate); it must be 1 to \(RequestSampler.shareWhole)"
    }
    sampler.setShare(levels == ["OFF"] ? 0 : RequestSampler.shareWhole / rate)
    return nil
  }
}
