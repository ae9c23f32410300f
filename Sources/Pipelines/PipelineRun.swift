import Serving
import Tensors

/// One request on its way through a pipeline.
struct PipelineRun: Sendable {
  typealias Completion = @Sendable (Result<InferenceResponse, ServingError>) -> Void

  /// The best classes of a row, and who says so.
  struct Answer: Sendable {
    var best: [(label: String, score: Float)]
    var model: String
  }

  let binding: PipelineBinding
  let leases: [VersionLease]
  let service: InferenceService
  let request: InferenceRequest
  /// What the last model was given, row by row.
  private var source: [UInt8] = []
  private var rows = 0
  private var answers: [Answer] = []
  /// Rows that no switch has stopped.
  private var active: [Int] = []
  private var pinned: [PinnedVersion] = []
  private var fallback: String?

  init(
    _ binding: PipelineBinding, _ leases: [VersionLease], _ service: InferenceService,
    _ request: InferenceRequest
  ) {
    self.binding = binding
    self.leases = leases
    self.service = service
    self.request = request
  }

  /// Gives the inputs of the request to the first model as they are.
  func begin(member: Int, _ completion: @escaping Completion) {
    var run = self
    // Names of what is made later are none of the model's.
    var asked = request
    if binding.ranking != nil || !binding.chain.isEmpty { asked.outputNames = nil }
    if !binding.switches.isEmpty {
      guard asked.copyMemory() else { return completion(.failure(.inputUnreadable)) }
      run.source = asked.inputs.first?.bytes ?? []
    }
    run.infer(member, asked, completion) { $0.next(0, $1, completion) }
  }

  /// Gives the first model what was made of the input.
  func begin(
    _ entrance: ModelEntrance, _ made: (count: Int, bytes: [UInt8]),
    _ completion: @escaping Completion
  ) {
    var run = self
    run.source = made.bytes
    run.rows = made.count
    let outputs =
      binding.ranking == nil && binding.chain.isEmpty ? request.outputNames : nil
    let asked = entrance.request(
      made.bytes, rows: made.count, outputs: outputs, request.terms)
    run.infer(entrance.member, asked, completion) { $0.next(0, $1, completion) }
  }

  private func infer(
    _ member: Int, _ request: InferenceRequest, _ completion: @escaping Completion,
    _ then: @escaping @Sendable (PipelineRun, InferenceResponse) -> Void
  ) {
    service.infer(leases[member], request) { result in
      switch result {
      case .failure(let error): completion(.failure(error))
      case .success(let response):
        var run = self
        let used = leases[member].pinned
        if !run.pinned.contains(used) { run.pinned.append(used) }
        run.fallback = run.fallback ?? response.fallback
        then(run, response)
      }
    }
  }

  /// Goes on with the model at `index` of the chain, or with what comes after the last.
  private func next(
    _ index: Int, _ response: InferenceResponse, _ completion: @escaping Completion
  ) {
    var run = self
    run.rows = response.outputs.first?.shape.extents.first ?? 0
    guard index < binding.chain.count else { return run.rank(response, completion) }
    let entrance = binding.chain[index]
    run.source = response.outputs[0].bytes
    let isLast = binding.ranking == nil && index == binding.chain.count - 1
    let asked = entrance.request(
      run.source, rows: run.rows, outputs: isLast ? request.outputNames : nil, request.terms)
    run.infer(entrance.member, asked, completion) { $0.next(index + 1, $1, completion) }
  }

  private func rank(_ response: InferenceResponse, _ completion: @escaping Completion) {
    guard let ranking = binding.ranking,
      let scores = response.outputs.first(where: { $0.name == ranking.output.name })
    else { return finish(response.outputs, completion) }
    var run = self
    let model = pinned.last?.model ?? ""
    run.answers = (0..<rows).map { Answer(best: ranking.best(scores, row: $0), model: model) }
    run.active = Array(0..<rows)
    run.choose(0, completion)
  }

  /// Decides on every row that is still under way, and asks whom that leads to.
  private func choose(_ index: Int, _ completion: @escaping Completion) {
    guard index < binding.switches.count, !active.isEmpty else { return answer(completion) }
    let branches = binding.switches[index]
    var groups = [[Int]](repeating: [], count: branches.count)
    for row in active {
      let best = answers[row].best[0]
      guard let place = branches.firstIndex(where: { $0.condition.holds(best.label, best.score) })
      else { continue }
      if branches[place].entrance != nil { groups[place].append(row) }
    }
    var run = self
    run.active = groups.flatMap(\.self).sorted()
    run.ask(groups[...], index, completion)
  }

  /// Asks the model of each case for its rows, one case after the other.
  private func ask(
    _ groups: ArraySlice<[Int]>, _ index: Int, _ completion: @escaping Completion
  ) {
    guard let place = groups.indices.first(where: { !groups[$0].isEmpty }) else {
      return choose(index + 1, completion)
    }
    let branch = binding.switches[index][place]
    guard let entrance = branch.entrance, let ranking = branch.ranking else { return }
    let rowBytes = source.count / rows
    let given = groups[place].flatMap { source[$0 * rowBytes..<($0 + 1) * rowBytes] }
    let asked = entrance.request(
      given, rows: groups[place].count, outputs: [ranking.output.name], request.terms)
    infer(entrance.member, asked, completion) { run, response in
      var run = run
      for (position, row) in groups[place].enumerated() {
        run.answers[row] = Answer(
          best: ranking.best(response.outputs[0], row: position), model: entrance.model)
      }
      run.ask(groups[(place + 1)...], index, completion)
    }
  }

  /// The tensors of the best classes.
  private func answer(_ completion: @escaping Completion) {
    let count = binding.ranking?.count ?? 0
    let best = answers.flatMap(\.best)
    let scores = best.flatMap { entry in
      stride(from: 0, to: 32, by: 8).map {
        UInt8(truncatingIfNeeded: entry.score.bitPattern >> UInt32($0))
      }
    }
    var outputs = [
      NamedTensor(
        name: PipelineOutput.classes, dataType: .string, shape: Shape([rows, count]),
        bytes: StringElements.bytes(best.map(\.label))),
      NamedTensor(
        name: PipelineOutput.scores, dataType: .float32, shape: Shape([rows, count]),
        bytes: scores),
    ]
    if !binding.switches.isEmpty {
      outputs.append(
        NamedTensor(
          name: PipelineOutput.model, dataType: .string, shape: Shape([rows]),
          bytes: StringElements.bytes(answers.map(\.model))))
    }
    if let names = request.outputNames {
      outputs = names.compactMap { name in outputs.first { $0.name == name } }
    }
    finish(outputs, completion)
  }

  private func finish(_ outputs: [NamedTensor], _ completion: Completion) {
    var response = InferenceResponse(version: binding.description.version, outputs: outputs)
    response.pinned = pinned
    response.fallback = fallback
    completion(.success(response))
  }
}
