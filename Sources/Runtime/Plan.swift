package import KernelInterface
import MemoryPlanning
package import ModelGraph
package import Tensors

/// A model lowered to kernel calls with all of its memory planned: a program without memory.
package struct Plan: Sendable {
  /// Every byte that preparing and running the model will take.
  package let memory: MemoryNeeds
  /// Threads that the program can use at most.
  package let threads: Int
  /// The name of the kernel table that the program calls.
  package let kernels: String
  /// What the program does, step by step.
  package let steps: [StepDescription]
  /// The model's inputs in its own order, with the shapes planned for.
  package let inputs: [TensorSpecification]
  /// The model's outputs in its own order, with the shapes planned for.
  package let outputs: [TensorSpecification]
  package let signatures: [Signature]

  /// Whether some shapes follow from values that the model computes, so that it is planned in part while
  /// it runs.
  package var isDeferred: Bool { deferral != nil }
  /// Whether an inference depends on those before it on the same instance.
  package var isStateful: Bool { !program.variables.isEmpty }
  /// Bytes of the largest constant that is packed.
  package var largestConstantBytes: Int { packed.lazy.map(\.byteCount).max() ?? 0 }
  /// Of `memory.weightsBytes`, the first ones, which can lie in a mapped file.
  package let mappableBytes: Int
  /// Bytes of each of those, in their order.
  package var mappableByteCounts: [Int] { packed.filter(\.canBeMapped).map(\.byteCount) }
  let program: Program
  let packed: [PackedConstant]
  let deferral: Deferral?

  /// Canonicalises the graph, lowers it with the kernels of `table`, and plans its memory.
  ///
  /// - Parameter copiesConstants: whether the model, once prepared, needs its file no more; constants that could be
  ///   read in place are then copied beside the packed weights.
  /// - Parameter deferredBytes: what the activations of an inference may take that are planned while it runs, of a
  ///   model whose shapes follow from its values; nil for twice those that are planned here and
  ///   `DeferralLimits.activationBytesDefault` more.
  /// - Precondition: `threads` is at least 1.
  package init(
    _ graph: Graph, table: KernelTable, threads: Int = 1, copiesConstants: Bool = false,
    deferredBytes: Int? = nil
  ) throws(RuntimeError) {
    precondition(threads >= 1 && threads <= ComputePool.threadsMaximum)
    let parts = graph.hasDeferredShapes ? graph.divided() : nil
    let canonical = try Plan.canonical(parts?.head ?? graph)
    let lowering = try Lowering(
      canonical, table: table, threads: threads, copiesConstants: copiesConstants)
    let arena = try Plan.arena(lowering.buffers)
    let (packedOffsets, mappedBytes, weightsBytes) = Plan.laidOut(lowering.packed)
    mappableBytes = mappedBytes
    let activationBytes =
      deferredBytes ?? DeferralLimits.activationBytesDefault + 2 * arena.byteCount
    deferral = parts.map { parts in
      Deferral(
        parts.tail, table: table, threads: threads, outputs: graph.outputSpecifications,
        activationBytes: activationBytes)
    }
    let laterBytes = deferral?.byteCount ?? 0
    memory = MemoryNeeds(
      weightsBytes: weightsBytes, fileBackedBytes: lowering.fileBackedBytes,
      arenaBytes: arena.byteCount + laterBytes, deferredBytes: laterBytes,
      scratchBytes: lowering.scratchBytesPerThread * threads)
    self.threads = threads
    kernels = table.name
    steps = lowering.steps.map(\.description) + (deferral.map { [$0.description] } ?? [])
    inputs = canonical.inputSpecifications
    outputs = parts == nil ? canonical.outputSpecifications : graph.outputSpecifications
    signatures = canonical.signatures
    packed = lowering.packed
    program = Program(
      steps: lowering.steps, bufferOffsets: arena.offsets, packedOffsets: packedOffsets,
      scratchBytesPerThread: lowering.scratchBytesPerThread,
      inputs: canonical.inputs.map { lowering.endpoint($0) },
      outputs: canonical.outputs.map { lowering.endpoint($0) }, variables: lowering.variables)
  }

  private static func canonical(_ graph: Graph) throws(RuntimeError) -> Graph {
    do {
      return try canonicalize(graph)
    } catch {
      throw .invalidGraph(error)
    }
  }

  static func arena(_ buffers: [BufferRequest]) throws(RuntimeError) -> MemoryPlan {
    do {
      return try MemoryPlan(buffers)
    } catch {
      throw .unplannable(error)
    }
  }

  /// Packed constants one behind the other, each aligned, those that can be mapped before the others; and
  /// the bytes of the former, and of all.
  private static func laidOut(
    _ constants: [PackedConstant]
  ) -> (offsets: [Int], mappedBytes: Int, byteCount: Int) {
    var offsets = [Int](repeating: 0, count: constants.count)
    var end = 0
    func place(_ canBeMapped: Bool) {
      for (index, constant) in constants.enumerated() where constant.canBeMapped == canBeMapped {
        offsets[index] = end
        end += MemoryPlan.aligned(constant.byteCount)
      }
    }
    place(true)
    let mappedBytes = end
    place(false)
    return (offsets, mappedBytes, end)
  }
}

/// The steps of a plan and where their memory lies.
struct Program: Sendable {
  /// Where an input or output lies, and its size.
  struct Endpoint: Sendable {
    var source: Source
    var byteCount: Int
  }

  var steps: [Step]
  var bufferOffsets: [Int]
  var packedOffsets: [Int]
  var scratchBytesPerThread: Int
  var inputs: [Endpoint]
  var outputs: [Endpoint]
  var variables: [StoredVariable]
}

extension Lowering {
  /// The place of a model's input or output after lowering.
  func endpoint(_ id: ValueID) -> Program.Endpoint {
    guard let source = location(of: id) else {
      preconditionFailure("a validated graph makes its outputs")
    }
    return Program.Endpoint(source: source, byteCount: graph[id].type.byteCount ?? 0)
  }
}
