import JSONDocuments
import Transport

/// Log and trace settings under the names of Triton Inference Server's extensions `logging` and
/// `trace`: what is shown to everybody, and changed on the admin socket alone.
struct SettingsRoutes: Sendable {
  private static let ofModel = "/v2/models/"
  private static let trace = "/trace/setting"

  let settings: RuntimeSettings

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

  private func logging(_ request: HTTPRequest) -> HTTPResponse {
    if request.method == "POST" {
      do {
        try settings.change(try JSONDocument.decode(LogSettings.self, from: request.body))
      } catch {
        return Self.refusal(error, "the request body is no object of log settings")
      }
    }
    return .json((try? JSONDocument.encode(settings.log)) ?? [])
  }

  private func tracing(_ request: HTTPRequest) -> HTTPResponse {
    if request.method == "POST" {
      do {
        try settings.change(try JSONDocument.decode(TraceSettings.self, from: request.body))
      } catch {
        return Self.refusal(error, "the request body is no object of trace settings")
      }
    }
    return .json((try? JSONDocument.encode(settings.trace)) ?? [])
  }

  private static func refusal(_ error: any Error, _ otherwise: String) -> HTTPResponse {
    switch error {
    case let error as RuntimeSettings.Refusal: .error(400, error.sentence)
    case let error as AgentError: .error(400, error.sentence)
    default: .error(400, otherwise)
    }
  }
}
