import ByteParsing
import Glibc
import MemoryPlanning
import ModelGraph
import Tensors

/// A plan of a tail for one set of elements of its determinants, with its addresses; or of the tail's
/// head, when some of its shapes follow from values that are computed in it.
@safe final class Stage {
  /// The elements of the determinants, one behind the other.
  private let key: [UInt8]
  let program: BoundProgram
  let memory: ProgramMemory
  private let inputs: [Program.Endpoint]
  let outputs: [Program.Endpoint]
  /// Of the outputs.
  let shapes: [Shape]
  /// What follows when the outputs are known; nil when they are the model's.
  let tail: Graph?
  /// Where the activations begin.
  let start: Int
  /// Plans of `tail`.
  var next: [Stage] = []

  init(
    key: [UInt8], _ draft: StageDraft, memory: ProgramMemory, threads: Int, start: Int
  ) {
    self.key = key
    self.memory = memory
    self.start = start
    program = BoundProgram(draft.lowering.steps, memory: memory, threads: threads)
    inputs = draft.graph.inputs.map { draft.lowering.endpoint($0) }
    outputs = draft.graph.outputs.map { draft.lowering.endpoint($0) }
    shapes = draft.graph.outputSpecifications.map(\.type.shape)
    tail = draft.tail
  }

  /// Whether the first outputs of a program have the elements that this plan was made for.
  func isPlanned(for outputs: [Program.Endpoint], _ memory: ProgramMemory) -> Bool {
    unsafe key.withUnsafeBytes { key in
      var offset = 0
      var place = 0
      while offset < key.count {
        let output = outputs[place]
        // Sound: the key is as long as these outputs together, whose sizes never change.
        let isSame = unsafe memcmp(
          key.baseAddress! + offset, memory.address(output.source, as: UInt8.self),
          output.byteCount) == 0
        guard isSame else { return false }
        offset += output.byteCount
        place += 1
      }
      return true
    }
  }

  /// Copies the outputs of a program from place `first` on into the inputs.
  func take(_ outputs: [Program.Endpoint], _ memory: ProgramMemory, after first: Int) {
    for index in 0..<inputs.count {
      guard case .buffer(let buffer) = inputs[index].source else { continue }
      // Sound: both have the type and shape of one value; the programs share no bytes but constants.
      unsafe UnsafeMutableRawPointer(self.memory.address(buffer, as: UInt8.self)).copyMemory(
        from: memory.address(outputs[first + index].source, as: UInt8.self),
        byteCount: inputs[index].byteCount)
    }
  }
}

/// A plan on its way: lowered, without addresses.
struct StageDraft {
  let graph: Graph
  let lowering: Lowering
  let arena: MemoryPlan
  let tail: Graph?

  init(_ tail: Graph, _ elements: [ByteView], _ deferral: Deferral) throws(DeferralFailure) {
    let settled = try Self.checked { () throws(GraphError) in try tail.settled(elements) }
    try Self.checkSizes(settled, limit: deferral.byteCount)
    let parts = settled.hasDeferredShapes ? settled.divided() : nil
    let graph = try Self.checked { () throws(GraphError) in
      try (parts?.head ?? settled).canonicalized(
        foldedBytesMaximum: deferral.byteCount / DeferralLimits.foldedShare)
    }
    if parts == nil { try Self.check(graph.outputSpecifications, against: deferral.outputs) }
    do throws(RuntimeError) {
      lowering = try Lowering(
        graph, table: deferral.table, threads: deferral.threads, copiesConstants: true)
      arena = try Plan.arena(lowering.buffers)
    } catch {
      guard case .unsupported(let kernels) = error else { throw .unplannable(error) }
      throw .unsupported(kernels)
    }
    self.graph = graph
    self.tail = parts?.tail
  }

  /// What a kept plan takes beside the block.
  var descriptionBytes: Int {
    lowering.steps.count * DeferralLimits.bytesPerStep
      + (tail?.values.count ?? 0) * DeferralLimits.bytesPerValue
  }

  /// Throws for a value that there is no room for, before anything is made of it; one without
  /// elements may be an output, whose lists are written out all the same.
  private static func checkSizes(_ graph: Graph, limit: Int) throws(DeferralFailure) {
    for node in graph.nodes {
      // A range is written down as a constant.
      let isRange = if case .generate(.range) = node.operation { true } else { false }
      let room = isRange ? limit / DeferralLimits.foldedShare : limit
      for id in node.outputs where !graph[id].isDeferred {
        let needed = graph[id].type.spannedByteCount ?? .max
        guard needed <= room else { throw .bytes(needed: needed, limit: room) }
      }
    }
  }

  private static func checked(
    _ body: () throws(GraphError) -> Graph
  ) throws(DeferralFailure) -> Graph {
    do throws(GraphError) {
      return try body()
    } catch {
      throw .shapes(error)
    }
  }

  /// Throws unless outputs have the shapes that the model declares.
  private static func check(
    _ made: [TensorSpecification], against declared: [TensorSpecification]
  ) throws(DeferralFailure) {
    for (index, (made, declared)) in zip(made, declared).enumerated() {
      let (actual, expected) = (made.type.shape, declared.type.shape)
      let isAdmitted =
        actual.rank == expected.rank
        && zip(actual.extents, expected.extents).allSatisfy { $1 < 0 || $0 == $1 }
      guard isAdmitted else {
        throw .outputShape(output: index, expected: expected, actual: actual)
      }
    }
  }
}

extension [Stage] {
  /// The plan for the first outputs of a program; nil when there is none.
  func stage(for outputs: [Program.Endpoint], _ memory: ProgramMemory) -> Stage? {
    // By index, as a program's steps.
    for index in indices where self[index].isPlanned(for: outputs, memory) { return self[index] }
    return nil
  }
}

/// Packed constants of plans, one behind the other; what several plans pack alike is there once.
struct PackedStore {
  private(set) var byteCount = 0
  /// Places of constants by their sizes.
  private var places: [Int: [Int]] = [:]

  /// Writes constants into the block, and says where they are; nil when they would not end below `end`.
  mutating func add(_ packed: [PackedConstant], to block: borrowing Arena, below end: Int) -> [Int]? {
    var offsets: [Int] = []
    for constant in packed {
      guard constant.byteCount <= end - byteCount else { return nil }
      // Sound: the bytes from `byteCount` to `end` hold nothing yet and lie within the block.
      let made = unsafe block.start + byteCount
      unsafe constant.write(made)
      let same = places[constant.byteCount]?.first { offset in
        unsafe memcmp(block.start + offset, made, constant.byteCount) == 0
      }
      offsets.append(same ?? byteCount)
      guard same == nil else { continue }
      places[constant.byteCount, default: []].append(byteCount)
      byteCount += MemoryPlan.aligned(constant.byteCount)
    }
    return offsets
  }
}
