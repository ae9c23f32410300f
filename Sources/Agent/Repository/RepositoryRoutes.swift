import JSONDocuments
import Serving
import Transport

/// The extension `model_repository` of the Open Inference Protocol, on the admin socket: what is
/// there, and local models loaded and unloaded by hand.
struct RepositoryRoutes: Sendable {
  private static let prefix = "/v2/repository/"

  let service: InferenceService
  let stores: LocalStores

  /// Answers a request below `/v2/repository/` and returns true; leaves any other alone.
  func handle(
    _ request: HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) -> Bool {
    guard request.path.hasPrefix(Self.prefix) else { return false }
    let parts = request.path.dropFirst(Self.prefix.count).split(
      separator: "/", omittingEmptySubsequences: false)
    guard request.method == "POST" else {
      respond(.error(405, "Method Not Allowed", headers: [("Allow", "POST")]))
      return true
    }
    switch (parts.count, parts.first, parts.last) {
    case (1, "index", _): respond(index(request.body))
    case (3, "models", "load"):
      stores.load(String(parts[1])) { result in
        switch result {
        case .success: respond(HTTPResponse(status: 200))
        case .failure(let refusal): respond(.error(refusal.status, refusal.sentence))
        }
      }
    case (3, "models", "unload"):
      let refusal = stores.unload(String(parts[1]))
      respond(
        refusal.map { .error($0.status, $0.sentence) } ?? HTTPResponse(status: 200))
    default: respond(.error(404, "Not Found"))
    }
    return true
  }

  private struct Filter: Decodable { var ready: Bool? }

  private struct Entry: Encodable {
    var name: String
    var version: String?
    var state: String?
    var reason: String?
  }

  private func index(_ body: [UInt8]) -> HTTPResponse {
    var isReadyOnly = false
    if !body.isEmpty {
      guard let filter = try? JSONDocument.decode(Filter.self, from: body) else {
        return .error(400, "the request body is no object with a boolean 'ready'")
      }
      isReadyOnly = filter.ready ?? false
    }
    var entries: [Entry] = []
    for model in service.modelNames() {
      let versions = (try? service.statuses(of: model)) ?? []
      if versions.isEmpty { entries.append(Entry(name: model)) }
      entries += versions.map { status in
        let (state, reason) = Self.state(status)
        return Entry(name: model, version: "\(status.version)", state: state, reason: reason)
      }
    }
    if isReadyOnly { entries = entries.filter { $0.state == "READY" } }
    // Every value of the document has a JSON form.
    return .json((try? JSONDocument.encode(entries)) ?? [])
  }

  private static func state(_ status: VersionStatus) -> (String, String?) {
    switch status.state {
    case .serving: ("READY", nil)
    case .offered, .fetching, .staged, .preparing, .proving: ("LOADING", nil)
    case .draining: ("UNLOADING", nil)
    case .retired: ("UNAVAILABLE", "unloaded")
    case .refused, .rolledBack: ("UNAVAILABLE", status.cause?.sentence)
    }
  }
}
