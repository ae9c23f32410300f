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
      prediction + "Classify": wrongCall("classify"),
      prediction + "Regress": wrongCall("regress"),
      prediction + "MultiInference": GRPCMethod(isCostly: true) { call, reply in
        multiInference(call, reply)
      },
      prediction + "GetModelMetadata": GRPCMethod { call, reply in metadata(call, reply) },
      models + "GetModelStatus": GRPCMethod { call, reply in reply(status(call)) },
      models + "HandleReloadConfigRequest": GRPCMethod { call, reply in reply(reload(call)) },
    ]
  }

  private func predict(_ call: GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void) {
    let request: PredictCall
    do {
      request = try PredictCall(call.message)
    } catch {
      return reply(.failure(tensorFlowStatus(error, ModelSpec())))
    }
    let spec = request.spec
    service.lease(spec.model, spec.selector) { [service] result in
      do {
        let lease = try result.get()
        let (inference, signature) = try request.inference(
          lease.description, call, batchMaximum: service.batchMaximum)
        service.infer(lease, inference) { result in
          do {
            reply(predictReply(try result.get(), lease.description, signature: signature.key))
          } catch {
            reply(.failure(tensorFlowStatus(error, spec)))
          }
        }
      } catch {
        reply(.failure(tensorFlowStatus(error, spec)))
      }
    }
  }

  /// Models here have predict signatures alone, so that what can be told is which one is missing.
  private func wrongCall(_ name: String) -> GRPCMethod {
    GRPCMethod(isCostly: true) { call, reply in
      refuse(call.message, TensorFlowRefusal.wrongCall(name), reply)
    }
  }

  /// The first task decides, as all need signatures that models here do not have.
  private func multiInference(
    _ call: GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void
  ) {
    do throws(ProtobufError) {
      var reader = ProtobufReader(call.message)
      while let field = try reader.next() {
        guard field.number == 1 else {
          try reader.skip(field)
          continue
        }
        var task = try reader.message(field)
        var method = ""
        var copy = task
        while let field = try copy.next() {
          if field.number == 2 { method = try copy.text(field) } else { try copy.skip(field) }
        }
        var spec = ModelSpec()
        while let field = try task.next() {
          if field.number == 1 {
            spec = try ModelSpec(try task.message(field))
          } else {
            try task.skip(field)
          }
        }
        let name = method.split(separator: "/").last.map(String.init) ?? method
        return refuse(spec, TensorFlowRefusal.wrongCall(String(name.prefix(100))), reply)
      }
      reply(.failure(GRPCStatus(.invalidArgument, "Inference request must have tasks.")))
    } catch {
      reply(.failure(tensorFlowStatus(error, ModelSpec())))
    }
  }

  private func refuse(
    _ message: [UInt8], _ refusal: TensorFlowRefusal,
    _ reply: @escaping @Sendable (GRPCReply) -> Void
  ) {
    do throws(ProtobufError) {
      refuse(try Self.spec(message), refusal, reply)
    } catch {
      reply(.failure(tensorFlowStatus(error, ModelSpec())))
    }
  }

  /// A model that is missing is told before the call that it does not have.
  private func refuse(
    _ spec: ModelSpec, _ refusal: TensorFlowRefusal,
    _ reply: @escaping @Sendable (GRPCReply) -> Void
  ) {
    service.lease(spec.model, spec.selector) { result in
      switch result {
      case .success: reply(.failure(refusal.status))
      case .failure(let error): reply(.failure(tensorFlowStatus(error, spec)))
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
