import ByteParsing
package import GRPC
package import Serving
import TensorFlowServing

/// TensorFlow Serving's gRPC interface: PredictionService and ModelService.
///
/// Source: TensorFlow Serving 2.20, `tensorflow.serving`.
package struct TensorFlowMethods: Sendable {
  let service: InferenceService
  let administration: Administration

  package init(service: InferenceService, administration: Administration) {
    self.service = service
    self.administration = administration
  }

  /// The methods by their paths.
  package var methods: [String: GRPCMethod] {
    let prediction = "/tensorflow.serving.PredictionService/"
    let models = "/tensorflow.serving.ModelService/"
    return [
      prediction + "Predict": GRPCMethod(isCostly: true) { call, reply in predict(call, reply) },
      prediction + "Classify": GRPCMethod(isCostly: true) { call, reply in
        inferExamples(call, .classify, reply)
      },
      prediction + "Regress": GRPCMethod(isCostly: true) { call, reply in
        inferExamples(call, .regress, reply)
      },
      prediction + "MultiInference": GRPCMethod(isCostly: true) { call, reply in
        multiInference(call, reply)
      },
      prediction + "GetModelMetadata": GRPCMethod { call, reply in metadata(call, reply) },
      models + "GetModelStatus": GRPCMethod { call, reply in reply(status(call)) },
      models + "HandleReloadConfigRequest": GRPCMethod { call, reply in reload(call, reply) },
    ]
  }

  private func predict(_ call: GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void) {
    let request: PredictCall
    var terms: RequestTerms
    do {
      request = try PredictCall(call.message)
      terms = try RequestTerms(call)
      if let key = request.clientID, !terms.hasKey { terms.take(key: key) }
    } catch {
      return reply(.failure(tensorFlowStatus(error, ModelSpec())))
    }
    let spec = request.spec
    service.lease(spec.model, spec.selector, terms, mayStandIn: true) { [service, terms] result in
      switch result {
      case .failure(let error): reply(.failure(tensorFlowStatus(error, spec)))
      case .success(let lease):
        do {
          let (inference, signature) = try request.inference(
            lease.description, call, terms, batchMaximum: service.batchMaximum)
          service.infer(lease, inference) { result in
            do {
              reply(predictReply(try result.get(), lease.description, signature: signature.key))
            } catch {
              reply(.failure(tensorFlowStatus(error, spec)))
            }
          }
        } catch {
          service.countInvalid(lease, terms)
          reply(.failure(tensorFlowStatus(error, spec)))
        }
      }
    }
  }

  /// The `model_spec` that requests have as their first field.
  static func spec(_ message: [UInt8]) throws(ProtobufError) -> ModelSpec {
    var reader = ProtobufReader(message)
    var spec = ModelSpec()
    while let field = try reader.next() {
      if field.number == 1 {
        spec = try ModelSpec(try reader.message(field))
      } else {
        try reader.skip(field)
      }
    }
    return spec
  }
}
