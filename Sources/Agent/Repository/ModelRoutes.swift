import JSONDocuments
import Serving
import Transport

/// What administrators may do to one model, on the admin socket: `POST /models/{model}/{action}`.
struct ModelRoutes: Sendable {
  private static let prefix = "/models/"

  let stores: LocalStores
  let manager: ModelManager

  private typealias Respond = @Sendable (HTTPResponse) -> Void

  /// Answers a request below `/models/` and returns true; leaves any other alone.
  func handle(
    _ request: HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) -> Bool {
    guard request.path.hasPrefix(Self.prefix) else { return false }
    let parts = request.path.dropFirst(Self.prefix.count).split(
      separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return false }
    guard request.method == "POST" else {
      respond(.error(405, "use POST", headers: [("Allow", "POST")]))
      return true
    }
    let model = String(parts[0])
    switch parts[1] {
    case "load": stores.load(model) { respond(Self.response($0)) }
    case "unload": respond(Self.response(stores.unload(model)))
    case "pin": pin(model, request.body, respond)
    case "unpin": respond(Self.response(stores.unpin(model)))
    case "rollback":
      stores.rollBack(model) { result in
        switch result {
        case .success(let version): respond(.json(Array("{\"version\":\(version)}".utf8)))
        case .failure(let refusal): respond(.error(refusal.status, refusal.sentence))
        }
      }
    case "label": respond(label(model, request.body))
    case "canary": respond(canary(model, request.body))
    case "shadow": respond(shadow(model, request.body))
    case "end-shadow":
      respond(Self.refused { () throws(ServingError) in try manager.setShadow(nil, of: model) })
    case "end-canary":
      manager.endCanary(of: model)
      respond(Self.response(nil))
    case "promote":
      respond(
        manager.promoteCanary(of: model).map { .json(Array("{\"version\":\($0)}".utf8)) }
          ?? .error(404, "'\(model)' has no canary that serves"))
    default: return false
    }
    return true
  }

  private struct Pin: Decodable { var version: Int64 }

  private struct Label: Decodable {
    var label: String
    var version: Int64
  }

  private func pin(_ model: String, _ body: [UInt8], _ respond: @escaping Respond) {
    guard let pin = try? JSONDocument.decode(Pin.self, from: body) else {
      return respond(.error(400, "the request body is no object with a number 'version'"))
    }
    stores.pin(model, to: pin.version) { respond(Self.response($0)) }
  }

  private func canary(_ model: String, _ body: [UInt8]) -> HTTPResponse {
    do {
      let document = try JSONDocument.decode(CanaryDocument.self, from: body)
      try manager.setCanary(document.canary, of: model)
      return Self.response(nil)
    } catch let error as ServingError {
      return Self.response(.refused(error))
    } catch let error as AgentError {
      return .error(400, error.sentence)
    } catch {
      return .error(400, "the request body is no object with numbers 'version' and 'percent'")
    }
  }

  private func shadow(_ model: String, _ body: [UInt8]) -> HTTPResponse {
    do {
      let document = try JSONDocument.decode(ShadowDocument.self, from: body)
      return Self.refused { () throws(ServingError) in
        try manager.setShadow(document.shadow, of: model)
      }
    } catch let error as AgentError {
      return .error(400, error.sentence)
    } catch {
      return .error(400, "the request body is no object with numbers 'version' and 'percent'")
    }
  }

  private static func refused(_ body: () throws(ServingError) -> Void) -> HTTPResponse {
    do throws(ServingError) {
      try body()
      return response(nil)
    } catch {
      return response(.refused(error))
    }
  }

  private func label(_ model: String, _ body: [UInt8]) -> HTTPResponse {
    guard let wanted = try? JSONDocument.decode(Label.self, from: body) else {
      return .error(400, "the request body is no object with 'label' and a number 'version'")
    }
    guard ModelName.isValid(wanted.label), Int64(wanted.label) == nil else {
      return .error(400, "'\(wanted.label.prefix(64))' is no name of a label")
    }
    do throws(ServingError) {
      try manager.setLabel(wanted.label, of: model, to: wanted.version)
      return .json(Array("{}".utf8))
    } catch {
      return Self.response(.refused(error))
    }
  }

  private static func response(_ result: Result<Void, RepositoryRefusal>) -> HTTPResponse {
    switch result {
    case .success: response(nil)
    case .failure(let refusal): response(refusal)
    }
  }

  private static func response(_ refusal: RepositoryRefusal?) -> HTTPResponse {
    refusal.map { .error($0.status, $0.sentence) } ?? .json(Array("{}".utf8))
  }
}
