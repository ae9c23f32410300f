import JSONDocuments
import Logging
import Transport

/// What the admin socket answers.
struct AdminRoutes: Sendable {
  let report: StatusReport
  let metrics: MetricsReport
  /// The settings in force.
  let configuration: CurrentConfiguration
  let delivery: (any DeliveryService)?
  let repository: RepositoryRoutes
  let models: ModelRoutes
  let settings: SettingsRoutes

  func handle(
    _ request: HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    switch request.path {
    case "/status":
      guard request.method == "GET" else { return respond(Self.notAllowed) }
      respond(.json(report.json()))
    case "/healthz":
      guard request.method == "GET" else { return respond(Self.notAllowed) }
      let health = report.document().health
      respond(
        HTTPResponse(
          status: health == .failing ? 503 : 200, headers: [("Content-Type", "text/plain")],
          body: Array((health.rawValue + "\n").utf8)))
    case "/config":
      guard request.method == "GET" else { return respond(Self.notAllowed) }
      respond(.json((try? JSONDocument.encode(configuration.value.entries)) ?? []))
    case "/log-level": logLevel(request, respond)
    case "/metrics":
      guard request.method == "GET" else { return respond(Self.notAllowed) }
      respond(metrics.response())
    case "/delivery/install":
      guard request.method == "POST" else {
        return respond(.error(405, "use POST", headers: [("Allow", "POST")]))
      }
      install(request.body, respond)
    default:
      if repository.handle(request, respond) || models.handle(request, respond)
        || settings.handle(request, mayChange: true, respond)
      {
        return
      }
      respond(.error(404, "no such path"))
    }
  }

  private struct Level: Codable { var level: String }

  /// Tells from which level on the log is written, and changes it until the agent restarts.
  private func logLevel(
    _ request: HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    if request.method == "POST" {
      guard let wanted = try? JSONDocument.decode(Level.self, from: request.body) else {
        return respond(.error(400, "the body is no object with a text 'level'"))
      }
      do throws(AgentError) {
        LogThreshold.level = try Logger.Level(configured: wanted.level)
      } catch {
        return respond(.error(400, error.sentence))
      }
    } else if request.method != "GET" {
      return respond(.error(405, "use GET or POST", headers: [("Allow", "GET, POST")]))
    }
    let level = Level(level: LogThreshold.level.rawValue)
    respond(.json((try? JSONDocument.encode(level)) ?? []))
  }

  private struct InstallOrder: Decodable { var path: String }

  /// Answers when the installation has come to its end.
  private func install(
    _ body: [UInt8], _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    guard let order = try? JSONDocument.decode(InstallOrder.self, from: body),
      order.path.hasPrefix("/")
    else { return respond(.error(400, "the body is no object with an absolute 'path'")) }
    guard let delivery else {
      return respond(.error(409, InstallRefusal.notConfigured.sentence))
    }
    delivery.install(order.path) { result in
      switch result {
      case .success(let report):
        respond(.json((try? JSONDocument.encode(report)) ?? []))
      case .failure(.archive(let error)): respond(.error(400, error.sentence))
      case .failure(let refusal): respond(.error(409, refusal.sentence))
      }
    }
  }

  private static let notAllowed = HTTPResponse.error(
    405, "use GET", headers: [("Allow", "GET")])
}
