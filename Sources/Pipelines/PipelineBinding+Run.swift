import Serving
import Tensors

extension PipelineBinding {
  func run(
    _ leases: [VersionLease], _ request: InferenceRequest,
    _ completion: @escaping @Sendable (Result<InferenceResponse, ServingError>) -> Void
  ) {
    do throws(ServingError) {
      try check(request)
    } catch {
      return completion(.failure(error))
    }
    let service = queue.service
    let run = PipelineRun(self, leases, service, request)
    switch opening {
    case .model(let member): run.begin(member: member, completion)
    case .front(let front, let entrance):
      // What is made of an input takes longer than a hand-over between threads.
      let wait = service.boundWait(request.terms)
      let isTaken = queue.submit { [self] in
        guard !wait.isOverdue else { return completion(.failure(.deadlineExceeded)) }
        do throws(ServingError) {
          var request = request
          guard request.copyMemory() else { throw .inputUnreadable }
          let tensor = request.inputs[0]
          let count = try front.count(of: tensor, maximum: service.batchMaximum)
          let charged = try take(rowBytes(front, entrance) * count, completion)
          do throws(ServingError) {
            run.begin(entrance, (count, try front.rows(of: tensor, count: count)), charged)
          } catch {
            charged(.failure(error))
          }
        } catch {
          completion(.failure(error))
        }
      }
      if !isTaken { completion(.failure(queue.fullError)) }
    }
  }

  /// Bytes of a row: as numbers, twice while they are made, and as the model takes them.
  private func rowBytes(_ front: any FrontEnd, _ entrance: ModelEntrance) -> Int {
    2 * (front.output.byteCount ?? 0) + (entrance.input.type.byteCount ?? 0)
  }

  /// Takes what the rows of a request need, until it is answered.
  private func take(
    _ bytes: Int, _ completion: @escaping PipelineRun.Completion
  ) throws(ServingError) -> PipelineRun.Completion {
    if let refusal = memoryPool.take(bytes) {
      throw .overMemory(needed: refusal.needed, available: refusal.available)
    }
    return { [memoryPool] result in
      completion(result)
      memoryPool.giveBack(bytes)
    }
  }

  /// Refuses outputs that there are not, and inputs that are none of the front's.
  private func check(_ request: InferenceRequest) throws(ServingError) {
    for name in request.outputNames ?? []
    where !description.outputs.contains(where: { $0.name == name }) {
      throw .unknownOutput(name: name)
    }
    // Without a front the first model checks its inputs itself.
    guard case .front(let front, _) = opening else { return }
    for (index, tensor) in request.inputs.enumerated() {
      guard tensor.name == front.input.name else { throw .unknownInput(name: tensor.name) }
      guard index == 0 else { throw .duplicateInput(name: tensor.name) }
    }
    guard let tensor = request.inputs.first else { throw .missingInput(name: front.input.name) }
    guard tensor.dataType == front.input.type.dataType else {
      throw .wrongDataType(
        input: tensor.name, expected: front.input.type.dataType, actual: tensor.dataType)
    }
  }
}
