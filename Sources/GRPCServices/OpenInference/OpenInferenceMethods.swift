import ByteParsing
package import GRPC
import OpenInference
package import Serving

/// The Open Inference Protocol V2 over gRPC, with the extensions of its REST form.
///
/// Source: Open Inference Protocol, gRPC, 2025-05; the extensions as Triton Inference Server 2.51
/// states them.
package struct OpenInferenceMethods: Sendable {
  private static let prefix = "/inference.GRPCInferenceService/"

  let service: InferenceService
  private let serverVersion: String
  let administration: Administration

  package init(
    service: InferenceService, serverVersion: String, administration: Administration
  ) {
    self.service = service
    self.serverVersion = serverVersion
    self.administration = administration
  }

  /// The methods by their paths.
  package var methods: [String: GRPCMethod] {
    var methods: [String: GRPCMethod] = [
      "ServerLive": GRPCMethod { _, reply in reply(.message { $0.bool(1, true) }) },
      "ServerReady": GRPCMethod { _, reply in
        reply(.message { $0.bool(1, service.isReady()) })
      },
      "ServerMetadata": GRPCMethod { _, reply in reply(serverMetadata()) },
      "ModelReady": GRPCMethod { call, reply in reply(answer(call, modelReady)) },
      "ModelMetadata": GRPCMethod { call, reply in describe(call, reply, modelMetadata) },
      "ModelConfig": GRPCMethod { call, reply in describe(call, reply, modelConfiguration) },
      "ModelStatistics": GRPCMethod { call, reply in reply(answer(call, statistics)) },
      "ModelInfer": GRPCMethod(isCostly: true) { call, reply in infer(call, reply) },
      "RepositoryIndex": GRPCMethod { call, reply in reply(index(call)) },
      "RepositoryModelLoad": GRPCMethod { call, reply in load(call, reply) },
      "RepositoryModelUnload": GRPCMethod { call, reply in reply(unload(call)) },
      "LogSettings": GRPCMethod { call, reply in reply(settle(call, logSettings)) },
      "TraceSetting": GRPCMethod { call, reply in reply(settle(call, traceSetting)) },
    ]
    for (name, method) in methods {
      methods[name] = nil
      methods[Self.prefix + name] = method
    }
    return methods
  }

  // MARK: The server

  private func serverMetadata() -> GRPCReply {
    .message { reply in
      reply.text(1, "edgeserve")
      reply.text(2, serverVersion)
      for name in [
        "classification", "model_configuration", "model_repository", "schedule_policy",
        "statistics",
      ] { reply.element(3, name) }
      if service.regions.isOffered { reply.element(3, "descriptor_shared_memory") }
    }
  }

  // MARK: Models

  /// Field 1 a model, field 2 a version, as several requests begin.
  struct ModelName {
    var model = ""
    var version = ""

    init(_ message: [UInt8]) throws(ProtobufError) {
      var reader = ProtobufReader(message)
      while let field = try reader.next() {
        switch field.number {
        case 1: model = try reader.text(field)
        case 2: version = try reader.text(field)
        default: try reader.skip(field)
        }
      }
    }

    var selector: VersionSelector { OpenInferenceMethods.selector(version) }
  }

  /// The protocol's versions are texts: a number, a label, or nothing for the newest.
  static func selector(_ version: String) -> VersionSelector {
    if version.isEmpty { return .latest }
    return Int64(version).map { .version($0) } ?? .label(version)
  }

  private func answer(
    _ call: GRPCCall, _ body: (ModelName) throws -> GRPCReply
  ) -> GRPCReply {
    var model = ""
    do {
      let name = try ModelName(call.message)
      model = name.model
      return try body(name)
    } catch {
      return .failure(openInferenceStatus(error, model: model))
    }
  }

  private func describe(
    _ call: GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void,
    _ body: @escaping @Sendable (VersionDescription) -> GRPCReply
  ) {
    do throws(ProtobufError) {
      let name = try ModelName(call.message)
      service.lease(name.model, name.selector) { result in
        switch result {
        case .success(let lease): reply(body(lease.description))
        case .failure(let error):
          reply(.failure(openInferenceStatus(error, model: name.model)))
        }
      }
    } catch {
      reply(.failure(openInferenceStatus(error, model: "")))
    }
  }

  /// The versions of a model that serve, or the one that is asked for.
  private func serving(_ name: ModelName) throws(ServingError) -> [VersionStatus] {
    let statuses = try service.statuses(of: name.model).filter { $0.state == .serving }
    switch name.selector {
    case .latest: return statuses
    case .version(let version): return statuses.filter { $0.version == version }
    case .label(let label):
      let labelled = statuses.filter { $0.labels.contains(label) }
      guard !labelled.isEmpty else { throw .labelNotFound(model: name.model, label: label) }
      return labelled
    }
  }

  /// A model that is not known is not ready, and no error.
  private func modelReady(_ name: ModelName) throws -> GRPCReply {
    let isReady: Bool
    do throws(ServingError) {
      isReady = try !serving(name).isEmpty
    } catch {
      // Caught whole: Swift 6.2 cannot compile a pattern that leaves a typed error to the caller.
      guard case .modelNotFound = error else { throw error }
      isReady = false
    }
    return .message { $0.bool(1, isReady) }
  }

  private func statistics(_ name: ModelName) throws -> GRPCReply {
    var statuses: [VersionStatus] = []
    for model in name.model.isEmpty ? service.modelNames() : [name.model] {
      var one = name
      one.model = model
      statuses += try serving(one)
    }
    if case .version(let version) = name.selector, statuses.isEmpty {
      throw ServingError.versionNotFound(model: name.model, version: version)
    }
    return .message { reply in
      for status in statuses { reply.message(1) { $0.statistics(status) } }
    }
  }

  private func settle(_ call: GRPCCall, _ body: (GRPCCall) throws -> GRPCReply) -> GRPCReply {
    do {
      return try body(call)
    } catch {
      return .failure(openInferenceStatus(error, model: ""))
    }
  }

  private func infer(_ call: GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void) {
    let request: InferCall
    var terms: RequestTerms
    do {
      request = try InferCall(call.message)
      terms = try RequestTerms(call)
      if let key = request.key, !terms.hasKey { terms.take(key: key) }
    } catch {
      return reply(.failure(openInferenceStatus(error, model: "")))
    }
    service.lease(
      request.model, Self.selector(request.version), terms, mayStandIn: true
    ) { [service, terms] result in
      switch result {
      case .failure(let error):
        reply(.failure(openInferenceStatus(error, model: request.model)))
      case .success(let lease):
        do {
          let inference = try request.inference(
            lease.description, call, terms, batchMaximum: service.batchMaximum,
            regions: { [user = call.userID] name in
              service.regions.memory(name, user: user)
            })
          service.infer(lease, inference) { result in
            do {
              reply(try inferReply(try result.get(), to: request, lease.description))
            } catch {
              reply(.failure(openInferenceStatus(error, model: request.model)))
            }
          }
        } catch {
          service.countInvalid(lease, terms)
          reply(.failure(openInferenceStatus(error, model: request.model)))
        }
      }
    }
  }

  // MARK: The repository

  private func index(_ call: GRPCCall) -> GRPCReply {
    var isReadyOnly = false
    do throws(ProtobufError) {
      var reader = ProtobufReader(call.message)
      while let field = try reader.next() {
        if field.number == 2 {
          isReadyOnly = try reader.bool(field)
        } else {
          try reader.skip(field)
        }
      }
    } catch {
      return .failure(openInferenceStatus(error, model: ""))
    }
    return .message { reply in
      for model in service.modelNames() {
        let versions = (try? service.statuses(of: model)) ?? []
        if versions.isEmpty, !isReadyOnly { reply.message(1) { $0.text(1, model) } }
        for status in versions where !isReadyOnly || status.state == .serving {
          reply.message(1) { $0.repositoryEntry(status) }
        }
      }
    }
  }

  private func load(_ call: GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void) {
    do {
      let model = try repositoryModel(call)
      administration.load(model) { refusal in
        reply(refusal.map { .failure($0) } ?? .message { _ in })
      }
    } catch {
      reply(.failure(openInferenceStatus(error, model: "")))
    }
  }

  private func unload(_ call: GRPCCall) -> GRPCReply {
    do {
      let refusal = administration.unload(try repositoryModel(call))
      return refusal.map { .failure($0) } ?? .message { _ in }
    } catch {
      return .failure(openInferenceStatus(error, model: ""))
    }
  }

  /// The model that is to be loaded or unloaded, by somebody who may.
  private func repositoryModel(_ call: GRPCCall) throws -> String {
    try administration.check(call)
    var reader = ProtobufReader(call.message)
    var model = ""
    while let field = try reader.next() {
      switch field.number {
      case 2: model = try reader.text(field)
      case 3:
        let (name, _) = try readEntry(try reader.message(field))
        // Models come from the paths that the agent was given, never from a request.
        guard name != "config", !name.hasPrefix("file:") else {
          throw GRPCStatus(.unimplemented, "load parameter '\(name.prefix(100))' is not supported")
        }
      default: try reader.skip(field)
      }
    }
    return model
  }
}
