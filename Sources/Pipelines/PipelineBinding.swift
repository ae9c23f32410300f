import KernelInterface
import Runtime
import Serving
import Tensors

/// A pipeline that was readied for one version of each of its models.
final class PipelineBinding: BoundComposite {
  /// A case of a switch with what answers it.
  struct Branch: Sendable {
    let condition: SwitchStep.Case
    let entrance: ModelEntrance?
    let ranking: Ranking?
  }

  /// What models there are behind the input.
  enum Opening: Sendable {
    /// The inputs of a request are those of the first model.
    case model(member: Int)
    /// Something is made of them.
    case front(any FrontEnd, ModelEntrance)
  }

  let description: VersionDescription
  let memory: VersionMemory
  let opening: Opening
  /// The models after the first.
  let chain: [ModelEntrance]
  let ranking: Ranking?
  let switches: [[Branch]]
  let queue: PipelineQueue
  /// Pays for the rows of requests.
  let memoryPool: MemoryPool
  private let charge: MemoryCharge?

  /// - Throws: `ServingError.misfit`, or `overMemory`.
  init(
    _ declaration: PipelineDeclaration, _ members: [String],
    _ descriptions: [VersionDescription], front: (any FrontEnd)?, table: KernelTable,
    manager: ModelManager, queue: PipelineQueue
  ) throws(ServingError) {
    let name = queue.name
    self.queue = queue
    memoryPool = manager.requestMemory
    let parts: Parts
    do throws(PipelineError) {
      parts = try Parts(declaration, members, descriptions, front, table)
    } catch {
      throw .misfit(model: name, reason: error.sentence)
    }
    opening = parts.opening
    chain = parts.chain
    ranking = parts.ranking
    switches = parts.switches
    description = parts.description(name, descriptions)
    var memory = VersionMemory()
    if case .front(let front, _) = opening { memory.scratchBytes = front.heldBytes }
    let held = memory.scratchBytes
    for (stage, _) in parts.stages {
      memory.weightsBytes += stage.plan.memory.weightsBytes
      memory.arenaBytes += stage.plan.memory.arenaBytes
      memory.scratchBytes += stage.plan.memory.scratchBytes
    }
    self.memory = memory
    do throws(MemoryRefusal) {
      charge =
        memory.totalBytes == held
        ? nil
        : try manager.ledger.charge(
          name,
          [
            MemoryItem(.weightsAnonymous, memory.weightsBytes),
            MemoryItem(.arena, memory.arenaBytes), MemoryItem(.scratch, memory.scratchBytes - held),
          ])
    } catch {
      throw .overMemory(needed: error.needed, available: error.available)
    }
    do throws(PipelineError) {
      for (stage, step) in parts.stages { try stage.allocate(step: step) }
    } catch {
      throw .misfit(model: name, reason: error.sentence)
    }
  }

  deinit { charge?.release() }

  /// Plans all that a binding would be made of, and allocates nothing.
  ///
  /// - Throws: `ServingError.misfit`.
  static func check(
    _ declaration: PipelineDeclaration, _ members: [String],
    _ descriptions: [VersionDescription], front: (any FrontEnd)?, table: KernelTable, name: String
  ) throws(ServingError) {
    do throws(PipelineError) {
      _ = try Parts(declaration, members, descriptions, front, table)
    } catch {
      throw .misfit(model: name, reason: error.sentence)
    }
  }
}

/// The parts of a binding, before anything is allocated.
private struct Parts {
  var opening: PipelineBinding.Opening
  var chain: [ModelEntrance] = []
  var ranking: Ranking?
  var switches: [[PipelineBinding.Branch]] = []
  private var lastModel: Int

  init(
    _ declaration: PipelineDeclaration, _ members: [String],
    _ descriptions: [VersionDescription], _ front: (any FrontEnd)?, _ table: KernelTable
  ) throws(PipelineError) {
    func member(_ model: String) -> Int {
      guard let place = members.firstIndex(of: model) else {
        preconditionFailure("every model that is named is a member")
      }
      return place
    }
    var opening: PipelineBinding.Opening?
    // What the last model was given, and from where.
    var given: (type: TensorType, isPrepared: Bool)?
    var last = 0
    for (step, declared) in declaration.steps.enumerated() {
      switch declared {
      case .image, .audio: break
      case .model(let model):
        let place = member(model)
        if let open = descriptions[place].outputs.first(where: { !$0.type.shape.isConcrete }) {
          throw .unplannable(step: step, reason: "the output \(open.name) has no fixed shape")
        }
        if opening == nil, let front {
          given = (front.output, false)
          opening = .front(
            front,
            try ModelEntrance(
              descriptions[place], member: place, step: step, offered: front.output, table: table,
              prepared: front.prepare))
        } else if opening == nil {
          opening = .model(member: place)
          let inputs = descriptions[place].inputs
          given = inputs.count == 1 ? (inputs[0].type, true) : nil
        } else {
          let outputs = descriptions[last].outputs
          guard outputs.count == 1 else {
            throw .severalOutputs(
              step: step - 1, model: descriptions[last].model, names: outputs.map(\.name))
          }
          given = (outputs[0].type, true)
          chain.append(
            try ModelEntrance(
              descriptions[place], member: place, step: step, offered: outputs[0].type,
              table: table))
        }
        last = place
      case .top(let top): ranking = try Ranking(top, descriptions[last], step: step)
      case .choose(let choice):
        guard let ranking else { throw .noModel }
        guard let given else {
          throw .severalInputs(
            step: step, model: descriptions[last].model, count: descriptions[last].inputs.count)
        }
        let known = [ranking] + switches.joined().compactMap(\.ranking)
        var branches: [PipelineBinding.Branch] = []
        for one in choice.cases {
          if let label = one.label, !known.contains(where: { $0.knows(label) }) {
            throw .unknownLabel(step: step, label: label, model: descriptions[last].model)
          }
          let target = one.model.map(member)
          branches.append(
            PipelineBinding.Branch(
              condition: one,
              entrance: try target.map { (place) throws(PipelineError) in
                try ModelEntrance(
                  descriptions[place], member: place, step: step, offered: given.type,
                  table: table,
                  prepared: { if !given.isPrepared { front?.prepare(&$0) } })
              },
              ranking: try target.map { (place) throws(PipelineError) in
                try Ranking(TopStep(count: ranking.count), descriptions[place], step: step)
              }))
        }
        switches.append(branches)
      }
    }
    guard let opening else { throw .noModel }
    self.opening = opening
    lastModel = last
  }

  /// Every program, and the step that it belongs to.
  var stages: [(Stage, Int)] {
    var stages: [(Stage, Int)] = []
    if case .front(let front, let entrance) = opening {
      stages += front.stages.map { ($0, 0) }
      if let stage = entrance.stage { stages.append((stage, entrance.step)) }
    }
    for entrance in chain + switches.joined().compactMap(\.entrance) {
      if let stage = entrance.stage { stages.append((stage, entrance.step)) }
    }
    return stages
  }

  func description(
    _ name: String, _ descriptions: [VersionDescription]
  ) -> VersionDescription {
    let inputs: [TensorSpecification]
    switch opening {
    case .model(let member): inputs = descriptions[member].inputs
    case .front(let front, _): inputs = [front.input]
    }
    let outputs = ranking.map { answers($0) } ?? descriptions[lastModel].outputs
    return VersionDescription(
      model: name, version: 1, inputs: inputs, outputs: outputs,
      signatures: [
        SignatureDescription(
          key: VersionDescription.defaultSignature, inputs: inputs, outputs: outputs)
      ], labels: ranking == nil ? descriptions[lastModel].labels : [],
      platform: "edgeserve_pipeline")
  }

  private func answers(_ ranking: Ranking) -> [TensorSpecification] {
    func output(_ name: String, _ type: DataType, _ extents: [Int]) -> TensorSpecification {
      TensorSpecification(
        name: name, type: TensorType(type, Shape([1] + extents)),
        signatureShape: Shape([-1] + extents))
    }
    let ranked = [
      output(PipelineOutput.classes, .string, [ranking.count]),
      output(PipelineOutput.scores, .float32, [ranking.count]),
    ]
    return switches.isEmpty ? ranked : ranked + [output(PipelineOutput.model, .string, [])]
  }
}

/// The names of what a pipeline tells of the best classes; TensorFlow's where it has some.
enum PipelineOutput {
  static let classes = "classes"
  static let scores = "scores"
  /// The model that answered a row.
  static let model = "model"
}
