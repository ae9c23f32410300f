import ByteParsing
import GRPC
import Serving
import TensorFlowServing
import Tensors

/// One task of a request on examples.
private struct ExampleTask: Sendable {
  var spec = ModelSpec()
  var call = Endpoint.Call.classify
}

extension TensorFlowMethods {
  /// What a task was answered with, and the signature that it went by.
  private typealias Head = (response: InferenceResponse, signature: String)

  /// `Classify` and `Regress`.
  func inferExamples(
    _ call: GRPCCall, _ kind: Endpoint.Call, _ reply: @escaping @Sendable (GRPCReply) -> Void
  ) {
    do throws(ProtobufError) {
      let task = ExampleTask(spec: try Self.spec(call.message), call: kind)
      run([task], call, reply) { heads, description in
        .message { writer in
          if kind == .classify {
            writer.classificationResult(1, heads[0].response, labels: description.labels)
          } else {
            writer.regressionResult(1, heads[0].response)
          }
          writer.modelSpec(
            2, description, signature: heads[0].signature,
            fallback: heads[0].response.fallback)
        }
      }
    } catch {
      reply(.failure(tensorFlowStatus(error, ModelSpec())))
    }
  }

  /// `MultiInference`: several heads of one version on the same examples.
  func multiInference(
    _ call: GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void
  ) {
    do {
      let tasks = try Self.tasks(call.message)
      run(tasks, call, reply) { heads, description in
        .message { writer in
          for (task, head) in zip(tasks, heads) {
            writer.message(1) { result in
              result.modelSpec(
                1, description, signature: head.signature, fallback: head.response.fallback)
              if task.call == .classify {
                result.classificationResult(2, head.response, labels: description.labels)
              } else {
                result.regressionResult(3, head.response)
              }
            }
          }
        }
      }
    } catch {
      reply(.failure(tensorFlowStatus(error, ModelSpec())))
    }
  }

  /// Runs every task on one version, one after the other.
  private func run(
    _ tasks: [ExampleTask], _ call: GRPCCall,
    _ reply: @escaping @Sendable (GRPCReply) -> Void,
    _ write: @escaping @Sendable ([Head], VersionDescription) -> GRPCReply
  ) {
    let spec = tasks[0].spec
    let terms: RequestTerms
    do throws(ServingError) {
      terms = try RequestTerms(call)
    } catch {
      return reply(.failure(tensorFlowStatus(error, spec)))
    }
    service.lease(spec.model, spec.selector, terms, mayStandIn: true) { result in
      do {
        let lease = try result.get()
        // Whether the model has what each task asks for is told before the examples are read.
        let heads = try tasks.map { try Self.head($0, lease.description) }
        let input = try ExampleInput(call.message, maximum: service.batchMaximum)
        let requests = try heads.map { signature, output in
          InferenceRequest(
            inputs: try input.tensors(signature.inputs, call.memory), outputNames: output,
            terms: terms)
        }
        let keys = heads.map(\.signature.key)
        next(requests, lease, []) { result in
          switch result {
          case .failure(let error): reply(.failure(tensorFlowStatus(error, spec)))
          case .success(let responses):
            reply(write(zip(responses, keys).map { ($0, $1) }, lease.description))
          }
        }
      } catch {
        reply(.failure(tensorFlowStatus(error, spec)))
      }
    }
  }

  private func next(
    _ requests: [InferenceRequest], _ lease: VersionLease, _ done: [InferenceResponse],
    _ completion: @escaping @Sendable (Result<[InferenceResponse], ServingError>) -> Void
  ) {
    guard done.count < requests.count else { return completion(.success(done)) }
    service.infer(lease, requests[done.count]) { result in
      switch result {
      case .failure(let error): completion(.failure(error))
      case .success(let response): next(requests, lease, done + [response], completion)
      }
    }
  }

  /// The signature and the output that a task is answered with.
  private static func head(
    _ task: ExampleTask, _ description: VersionDescription
  ) throws(TensorFlowRefusal) -> (signature: SignatureDescription, output: [String]) {
    guard let signature = description.signature(named: task.spec.signature) else {
      throw .signatureNotFound(
        task.spec.signature.isEmpty
          ? VersionDescription.defaultSignature : task.spec.signature)
    }
    guard let output = signature.exampleOutput(for: task.call) else {
      throw .wrongCall(task.call.rawValue)
    }
    return (signature, signature.exampleOutputNames(with: output))
  }

  /// Tasks of one request.
  private static let tasksMaximum = 16

  private static func tasks(_ message: [UInt8]) throws -> [ExampleTask] {
    var reader = ProtobufReader(message)
    var tasks: [ExampleTask] = []
    while let field = try reader.next() {
      guard field.number == 1 else {
        try reader.skip(field)
        continue
      }
      guard tasks.count < tasksMaximum else {
        throw ProtobufError.tooManyElements(field: 1, limit: tasksMaximum)
      }
      tasks.append(try task(try reader.message(field)))
    }
    guard let first = tasks.first else { throw TensorFlowRefusal.noTasks }
    for task in tasks
    where task.spec.model != first.spec.model || task.spec.selector != first.spec.selector {
      throw TensorFlowRefusal.tasksDiffer(first.spec.model, task.spec.model)
    }
    return tasks
  }

  private static func task(_ start: ProtobufReader) throws -> ExampleTask {
    var reader = start
    var task = ExampleTask()
    var method = ""
    while let field = try reader.next() {
      switch field.number {
      case 1: task.spec = try ModelSpec(try reader.message(field))
      case 2: method = try reader.text(field)
      default: try reader.skip(field)
      }
    }
    switch method {
    case "tensorflow/serving/classify": task.call = .classify
    case "tensorflow/serving/regress": task.call = .regress
    default:
      throw GRPCStatus(
        .unimplemented, "Unsupported signature method_name: \(method.prefix(100))")
    }
    return task
  }
}
