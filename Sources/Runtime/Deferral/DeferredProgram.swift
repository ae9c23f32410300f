import ByteParsing
import Glibc
import MemoryPlanning
import ModelGraph
import Tensors

/// What an instance runs after its program's head: plans of the tail, made when the values that shapes
/// follow from are met first, and kept for when they come again.
///
/// All lies in one block. Packed constants grow from its start, each kept once however many plans read
/// it; activations lie at its end, those of a plan below those of the one that it continues. When the
/// two meet, or there are too many plans, all are forgotten and begun anew; what does not fit then is an
/// error of that inference. A plan that is kept runs without allocating anything.
@safe final class DeferredProgram {
  private let deferral: Deferral
  private let threads: Int
  private let block: Arena
  private var first: [Stage] = []
  private var constants: PackedStore
  /// Where the lowest activations of any plan begin.
  private var lowest: Int
  private var planCount = 0
  /// What descriptions of kept plans are counted with.
  private var descriptionBytes = 0
  /// The plan that made the outputs; nil before the first inference and after one without result.
  private var last: Stage?

  /// - Parameter threads: that the steps are cut for.
  init(_ deferral: Deferral, threads: Int) throws(RuntimeError) {
    self.deferral = deferral
    self.threads = threads
    block = try Arena(byteCount: deferral.byteCount, isPresent: false)
    lowest = deferral.byteCount
    constants = PackedStore()
  }

  var byteCount: Int { block.byteCount }

  /// What a plan begins with: what was computed before it.
  fileprivate struct Origin {
    var memory: ProgramMemory
    /// The determinants, then the inputs of the tail.
    var outputs: [Program.Endpoint]
    var tail: Graph
    /// Where the activations begin that hold the outputs.
    var start: Int
  }

  /// Runs to the end; false when a loop was ended before its end.
  ///
  /// - Parameters:
  ///   - memory: of the head, which has run.
  ///   - outputs: of the head.
  ///   - isComplete: whether the head came to its end; nothing is run otherwise.
  func run(
    after memory: ProgramMemory, _ outputs: [Program.Endpoint], _ pool: ComputePool?,
    if isComplete: Bool
  ) throws(DeferralFailure) -> Bool {
    last = nil
    guard isComplete else { return false }
    let origin = Origin(
      memory: memory, outputs: outputs, tail: deferral.tail, start: deferral.byteCount)
    do throws(DeferralFailure) {
      return try follow(origin, pool)
    } catch {
      guard case .bytes = error else { throw error }
      forget()
      return try follow(origin, pool)
    }
  }

  private func follow(_ head: Origin, _ pool: ComputePool?) throws(DeferralFailure) -> Bool {
    var origin = head
    var stage: Stage?
    while true {
      let kept = (stage?.next ?? first).stage(for: origin.outputs, origin.memory)
      let next: Stage
      if let kept { next = kept } else { next = try made(origin, after: stage) }
      next.take(origin.outputs, origin.memory, after: origin.tail.determinants.count)
      guard next.program.run(pool) else { return false }
      guard let tail = next.tail else {
        last = next
        return true
      }
      origin = Origin(memory: next.memory, outputs: next.outputs, tail: tail, start: next.start)
      stage = next
    }
  }

  private func forget() {
    (first, planCount, descriptionBytes) = ([], 0, 0)
    lowest = deferral.byteCount
    constants = PackedStore()
  }

  // MARK: Outputs

  /// The shape of output `index` after the last inference; nil when that has no result.
  func shape(ofOutput index: Int) -> Shape? { last?.shapes[index] }

  /// Lends the bytes of output `index`; none when the last inference has no result.
  func withOutput<R, E: Error>(
    _ index: Int, _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    guard let last else { return try unsafe body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let output = last.outputs[index]
    // Sound: as for the outputs of an instance; the plan is kept while it is the last one.
    return try unsafe body(
      UnsafeRawBufferPointer(
        start: last.memory.address(output.source, as: UInt8.self), count: output.byteCount))
  }

  // MARK: Planning

  /// Plans what follows `origin` for the elements that its determinants have, and keeps the plan.
  private func made(_ origin: Origin, after stage: Stage?) throws(DeferralFailure) -> Stage {
    let elements = (0..<origin.tail.determinants.count).map { place in
      ByteView(origin.bytes(of: place))
    }
    let draft = try StageDraft(origin.tail, elements, deferral)
    let activations = MemoryPlan.aligned(draft.arena.byteCount)
    let scratch = MemoryPlan.aligned(draft.lowering.scratchBytesPerThread * deferral.threads)
    let start = origin.start - activations - scratch
    let descriptions = descriptionBytes + draft.descriptionBytes
    let ceiling = min(lowest, start) - descriptions
    guard planCount < DeferralLimits.plansMaximum, ceiling >= constants.byteCount,
      let offsets = constants.add(draft.lowering.packed, to: block, below: ceiling)
    else {
      throw .bytes(
        needed: constants.byteCount + deferral.byteCount - ceiling, limit: deferral.byteCount)
    }
    planCount += 1
    descriptionBytes = descriptions
    lowest = min(lowest, start)
    // Sound: activations and scratch end where those of the plan before begin, and constants end below them.
    let memory = unsafe ProgramMemory(
      arena: block.start + start, scratch: block.start + start + activations,
      scratchBytesPerThread: draft.lowering.scratchBytesPerThread,
      weights: PackedWeights.Place(all: block.start), bufferOffsets: draft.arena.offsets,
      packedOffsets: offsets)
    let made = Stage(
      key: elements.flatMap(\.array), draft, memory: memory, threads: threads, start: start)
    if let stage { stage.next.append(made) } else { first.append(made) }
    return made
  }
}

extension DeferredProgram.Origin {
  /// A copy of the bytes of output `place`.
  fileprivate func bytes(of place: Int) -> [UInt8] {
    let output = outputs[place]
    // Sound: as for the outputs of an instance.
    return unsafe [UInt8](
      UnsafeRawBufferPointer(
        start: memory.address(output.source, as: UInt8.self), count: output.byteCount))
  }
}
