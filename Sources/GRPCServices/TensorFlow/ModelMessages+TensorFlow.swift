import ByteParsing
import GRPC
import Serving
import TensorFlowServing
import Tensors

extension TensorFlowMethods {
  /// `GetModelMetadata`: the signatures of a version.
  func metadata(_ call: GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void) {
    var spec = ModelSpec()
    do {
      spec = try Self.spec(call.message)
      try checkMetadataFields(call.message)
    } catch {
      return reply(.failure(tensorFlowStatus(error, spec)))
    }
    service.lease(spec.model, spec.selector) { [spec] result in
      switch result {
      case .failure(let error): reply(.failure(tensorFlowStatus(error, spec)))
      case .success(let lease):
        reply(
          .message { reply in
            reply.modelSpec(1, lease.description, signature: "")
            reply.entry(2, "signature_def") { any in
              any.text(1, "type.googleapis.com/tensorflow.serving.SignatureDefMap")
              any.message(2) { $0.signatures(lease.description.signatures) }
            }
          })
      }
    }
  }

  /// `GetModelStatus`: the states of the versions of a model.
  func status(_ call: GRPCCall) -> GRPCReply {
    var spec = ModelSpec()
    do {
      spec = try Self.spec(call.message)
      let statuses = try statuses(spec).filter { stateName($0.state) != nil }
      return .message { reply in
        for status in statuses { reply.message(1) { $0.versionStatus(status) } }
      }
    } catch {
      return .failure(tensorFlowStatus(error, spec))
    }
  }

  private func statuses(_ spec: ModelSpec) throws -> [VersionStatus] {
    let all = (try? service.statuses(of: spec.model)) ?? []
    let missing: GRPCStatus
    let found: [VersionStatus]
    switch spec.selector {
    case .latest:
      found = all
      missing = GRPCStatus(.notFound, "Could not find any versions of model \(spec.model)")
    case .version(let version):
      found = all.filter { $0.version == version }
      missing = GRPCStatus(.notFound, "Could not find version \(version) of model \(spec.model)")
    case .label(let label):
      found = all.filter { $0.labels.contains(label) }
      missing = GRPCStatus(
        .invalidArgument, "Unrecognized servable version label: \(label)")
    }
    guard found.contains(where: { stateName($0.state) != nil }) else { throw missing }
    return found
  }

  private func checkMetadataFields(_ message: [UInt8]) throws {
    var reader = ProtobufReader(message)
    var count = 0
    while let field = try reader.next() {
      guard field.number == 2 else {
        try reader.skip(field)
        continue
      }
      count += 1
      let name = try reader.text(field)
      guard name == "signature_def" else { throw TensorFlowRefusal.metadataField(name) }
    }
    guard count > 0 else { throw TensorFlowRefusal.noMetadataField }
  }
}

extension ProtobufWriter {
  /// A `SignatureDefMap`.
  fileprivate mutating func signatures(_ signatures: [SignatureDescription]) {
    for signature in signatures {
      entry(1, signature.key) { definition in
        for (field, specifications) in [(1, signature.inputs), (2, signature.outputs)] {
          for specification in specifications {
            definition.entry(field, specification.name) { info in
              info.text(1, specification.name)
              info.integer(2, typeNumber(specification.type.dataType))
              info.message(3) { $0.shape(specification.signatureShape) }
            }
          }
        }
        definition.text(3, "tensorflow/serving/predict")
      }
    }
  }

  /// A `ModelVersionStatus`.
  fileprivate mutating func versionStatus(_ status: VersionStatus) {
    int64(1, status.version)
    integer(2, stateNumber(status.state))
    message(3) { inner in
      guard let cause = status.cause else { return }
      inner.integer(1, UInt64(GRPCCode(cause).rawValue))
      inner.text(2, cause.publicSentence)
    }
  }
}

/// TensorFlow Serving's number of the state of a version.
private func stateNumber(_ state: VersionState) -> UInt64 {
  switch state {
  case .offered, .fetching: 0
  case .staged: 10
  case .preparing, .proving: 20
  case .serving: 30
  case .draining: 40
  case .retired, .refused, .rolledBack: 50
  }
}

extension GRPCCode {
  /// The canonical code of a failed load.
  fileprivate init(_ failure: LoadFailure) {
    self =
      switch failure {
      case .unreadable: .notFound
      case .invalidModel, .changedWhileLoading: .invalidArgument
      case .unsupported: .unimplemented
      case .overBudget, .drainTimedOut: .resourceExhausted
      case .goldenMismatch, .goldenMalformed, .noGoldenVectors, .latencyGate,
        .memoryGate, .misfit, .warmUp: .failedPrecondition
      case .shuttingDown: .cancelled
      }
  }
}
