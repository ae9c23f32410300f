package import Serving
package import Transport

/// TensorFlow Serving's REST interface, version 1: everything below `/v1/`.
///
/// Source: TensorFlow Serving 2.20, RESTful API.
package struct Routes: Sendable {
  private let service: InferenceService

  package init(service: InferenceService) { self.service = service }

  /// Answers a request below `/v1/` and returns true; leaves any other alone.
  package func handle(
    _ request: HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) -> Bool {
    guard Endpoint.owns(request.path) else { return false }
    switch Endpoint(method: request.method, path: request.path) {
    case .call(let call, let model, let selector): answer(request, call, model, selector, respond)
    case .status(let model, let selector): respond(status(model, selector))
    case .metadata(let model, let selector):
      service.lease(model, selector) { result in
        switch result {
        case .success(let lease): respond(metadataReply(lease.description))
        case .failure(let error): respond(refusal(error, model: model, selector))
        }
      }
    case .malformed:
      respond(.error(400, "Malformed request: \(request.method) \(request.path)"))
    }
    return true
  }

  private func answer(
    _ request: HTTPRequest, _ call: Endpoint.Call, _ model: String, _ selector: VersionSelector,
    _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    var terms: RequestTerms
    do throws(ServingError) {
      terms = try RequestTerms(request)
      // Read before the version is known that reads the rest, and only where it decides on that.
      if selector == .latest, !terms.hasKey, service.canary(of: model) != nil,
        let key = requestKey(request.body)
      {
        terms.take(key: key)
      }
    } catch {
      return respond(refusal(error, model: model, selector))
    }
    service.lease(model, selector, terms, mayStandIn: true) { [service, terms] result in
      switch result {
      case .failure(let error): respond(refusal(error, model: model, selector))
      case .success(let lease):
        do {
          var (inference, reply) = try Self.read(request.body, call, lease.description)
          inference.terms = terms
          service.infer(lease, inference) { [reply] result in
            do {
              let response = try result.get()
              var answer = try reply(response)
              // Whoever asked is told that another answered.
              if let fallback = response.fallback { answer.headers.append(("X-Fallback", fallback)) }
              respond(answer)
            } catch {
              respond(refusal(error, model: model, selector))
            }
          }
        } catch {
          service.countInvalid(lease, terms)
          respond(refusal(error, model: model, selector))
        }
      }
    }
  }

  /// The request that a body holds, and what writes its reply.
  private static func read(
    _ body: [UInt8], _ call: Endpoint.Call, _ description: VersionDescription
  ) throws -> (InferenceRequest, @Sendable (InferenceResponse) throws -> HTTPResponse) {
    guard call != .predict else {
      let decoded = try PredictRequest(body: body, description: description)
      return (decoded.inference, { try predictReply($0, form: decoded.form) })
    }
    let decoded = try ExampleRequest(body: body, call: call, description: description)
    return (
      decoded.inference, { exampleReply($0, call: call, labels: description.labels) }
    )
  }

  private func status(_ model: String, _ selector: VersionSelector) -> HTTPResponse {
    let statuses = (try? service.statuses(of: model)) ?? []
    switch selector {
    case .latest:
      return statusReply(statuses)
        ?? .error(404, "Could not find any versions of model \(model)")
    case .version(let version):
      return statusReply(statuses.filter { $0.version == version })
        ?? .error(404, "Could not find version \(version) of model \(model)")
    case .label(let label):
      guard !statuses.isEmpty else {
        return .error(404, "Could not find any versions of model \(model)")
      }
      return statusReply(statuses.filter { $0.labels.contains(label) })
        ?? .error(400, "Unrecognized servable version label: \(label)")
    }
  }
}
