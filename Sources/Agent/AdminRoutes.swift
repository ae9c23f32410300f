import JSONDocuments
import Transport

/// What the admin socket answers.
struct AdminRoutes: Sendable {
  let report: StatusReport
  let metrics: MetricsReport
  /// The settings in force.
  let configuration: CurrentConfiguration
  let repository: RepositoryRoutes

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
    case "/metrics":
      guard request.method == "GET" else { return respond(Self.notAllowed) }
      respond(metrics.response())
    default:
      if !repository.handle(request, respond) { respond(.error(404, "no such path")) }
    }
  }

  private static let notAllowed = HTTPResponse.error(
    405, "use GET", headers: [("Allow", "GET")])
}
