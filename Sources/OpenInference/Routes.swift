package import Serving
package import Transport

/// The Open Inference Protocol V2 over HTTP: everything below `/v2`.
///
/// Source: Open Inference Protocol, REST, 2025-05, with the extensions `binary_tensor_data`,
/// `classification`, `model_configuration`, `schedule_policy` and
/// `statistics`, and the vocabulary of `system_shared_memory` for memory that is handed over by
/// descriptor.
package struct Routes: Sendable {
  private let service: InferenceService
  private let serverVersion: String

  package init(service: InferenceService, serverVersion: String = "1") {
    self.service = service
    self.serverVersion = serverVersion
  }

  /// Answers a request below `/v2` and returns true; leaves any other alone.
  package func handle(
    _ request: HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) -> Bool {
    guard let endpoint = Endpoint(path: request.path) else { return false }
    guard endpoint != .unknown else {
      respond(.error(404, "Not Found"))
      return true
    }
    guard endpoint.methods.contains(request.method) else {
      let allowed = endpoint.methods.joined(separator: ", ")
      respond(.error(405, "Method Not Allowed", headers: [("Allow", allowed)]))
      return true
    }
    switch endpoint {
    case .server:
      respond(
        serverMetadata(version: serverVersion, offersRegions: service.regions.isOffered))
    case .live: respond(liveness())
    case .ready: respond(serverReadiness(isReady: service.isReady()))
    case .model(let model, let selector): describe(model, selector, respond)
    case .modelReady(let model, let selector): respond(readiness(model, selector))
    case .statistics(let model, let selector): respond(counters(model, selector))
    case .configuration(let model, let selector):
      service.lease(model, selector) { [service] result in
        switch result {
        case .failure(let error): respond(refusal(error, model: model))
        case .success(let lease):
          respond(
            modelConfiguration(
              lease.description, batchMaximum: service.batchMaximum,
              policy: service.policy(of: lease.description.model)))
        }
      }
    case .infer(let model, let selector): infer(request, model, selector, respond)
    case .regions(let name):
      respond(
        regionList(
          service.regions.regions(of: request.peer?.userID).filter { $0.name == name ?? $0.name }))
    case .regionChange:
      respond(.error(501, "regions of memory are handed over by descriptor, on a socket of their own"))
    case .unknown: break
    }
    return true
  }

  private func describe(
    _ model: String, _ selector: VersionSelector,
    _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    service.lease(model, selector) { [service] result in
      switch result {
      case .failure(let error): respond(refusal(error, model: model))
      case .success(let lease):
        let statuses = (try? service.statuses(of: model)) ?? []
        let versions = statuses.filter { $0.state == .serving }.map(\.version).sorted()
        respond(modelMetadata(lease.description, versions: versions))
      }
    }
  }

  private func readiness(_ model: String, _ selector: VersionSelector) -> HTTPResponse {
    do throws(ServingError) {
      var statuses = try service.statuses(of: model)
      switch selector {
      case .latest: break
      case .version(let version):
        statuses = statuses.filter { $0.version == version }
        guard !statuses.isEmpty else { throw .versionNotFound(model: model, version: version) }
      case .label(let label):
        statuses = statuses.filter { $0.labels.contains(label) }
        guard !statuses.isEmpty else { throw .labelNotFound(model: model, label: label) }
      }
      return modelReadiness(model, isReady: statuses.contains { $0.state == .serving })
    } catch {
      return refusal(error, model: model)
    }
  }

  private func counters(_ model: String?, _ selector: VersionSelector) -> HTTPResponse {
    do throws(ServingError) {
      var statuses: [VersionStatus] = []
      for name in model.map({ [$0] }) ?? service.modelNames() {
        statuses += try service.statuses(of: name).filter { $0.state == .serving }
      }
      switch selector {
      case .latest: break
      case .version(let version):
        statuses = statuses.filter { $0.version == version }
        guard !statuses.isEmpty else {
          throw .versionNotFound(model: model ?? "", version: version)
        }
      case .label(let label):
        statuses = statuses.filter { $0.labels.contains(label) }
        guard !statuses.isEmpty else { throw .labelNotFound(model: model ?? "", label: label) }
      }
      return statistics(statuses)
    } catch {
      return refusal(error, model: model ?? "")
    }
  }

  private func infer(
    _ request: HTTPRequest, _ model: String, _ selector: VersionSelector,
    _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    var terms: RequestTerms
    do throws(ServingError) {
      terms = try RequestTerms(request)
      // Read before the version is known that reads the rest, and only where it decides on that.
      if selector == .latest, !terms.hasKey, service.canary(of: model) != nil,
        let key = requestKey(request.body, headerLength: try? headerLength(request))
      {
        terms.take(key: key)
      }
    } catch {
      return respond(refusal(error, model: model))
    }
    service.lease(model, selector, terms, mayStandIn: true) { [service, terms] result in
      switch result {
      case .failure(let error): respond(refusal(error, model: model))
      case .success(let lease):
        do {
          let decoded = try InferRequest(
            body: request.body, headerLength: try headerLength(request),
            description: lease.description,
            regions: { [user = request.peer?.userID] name in
              service.regions.memory(name, user: user)
            })
          service.infer(lease, decoded.inference(terms)) { result in
            do {
              respond(
                try inferReply(
                  try result.get(), to: decoded, model: model, labels: lease.description.labels))
            } catch {
              respond(refusal(error, model: model))
            }
          }
        } catch {
          service.countInvalid(lease, terms)
          respond(refusal(error, model: model))
        }
      }
    }
  }
}

/// Bytes of the JSON part of the body; nil when it is the whole.
private func headerLength(_ request: HTTPRequest) throws -> Int? {
  guard let field = request.headers.first(headerLengthField) else { return nil }
  guard let length = Int(field) else { throw RequestError.headerLength(field) }
  return length
}
