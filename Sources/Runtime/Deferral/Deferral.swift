import ByteParsing
import KernelInterface
import MemoryPlanning
import ModelGraph
import Tensors

/// The part of a model that is planned while it runs, for each set of values that its shapes follow
/// from.
struct Deferral: Sendable {
  /// Of the whole model: a tail with its determinants, as `Graph.divided` gives it.
  let tail: Graph
  let table: KernelTable
  let threads: Int
  /// The model's outputs as it declares them.
  let outputs: [TensorSpecification]
  /// What all of its plans take at most, kept ones and the one that runs: activations, scratch, packed
  /// constants and what describes them.
  let byteCount: Int

  /// - Parameter activationBytes: what activations may take; room for the constants comes with it.
  init(
    _ tail: Graph, table: KernelTable, threads: Int, outputs: [TensorSpecification],
    activationBytes: Int
  ) {
    self.tail = tail
    self.table = table
    self.threads = threads
    self.outputs = outputs
    byteCount = MemoryPlan.aligned(activationBytes) + 2 * Self.constantBytes(of: tail)
  }

  /// What stands for all of its steps.
  var description: StepDescription {
    StepDescription(
      operatorName: "deferred", kernelName: "planned for computed shapes, \(tail.nodes.count) nodes",
      outputName: outputs.first?.name ?? "", multiplyAccumulates: 0, byteCount: 0)
  }

  /// Bytes of the constants that the graph's nodes read, those of loops and branches included.
  private static func constantBytes(of graph: Graph) -> Int {
    let read = Set(graph.nodes.flatMap { $0.inputs.compactMap { $0 } })
    let own = read.reduce(0) { $0 + MemoryPlan.aligned(graph[$1].constant?.count ?? 0) }
    return graph.subgraphs.reduce(own) { $0 + constantBytes(of: $1) }
  }
}

/// Bounds of what is planned while a model runs.
package enum DeferralLimits {
  /// Bytes of activations, where nobody says otherwise.
  package static let activationBytesDefault = 16 << 20
  /// Plans that an instance keeps; when there would be more, it begins anew.
  static let plansMaximum = 256
  /// What a step of a kept plan is counted with for its description and addresses, beside its operands.
  static let bytesPerStep = 2048
  /// What a value of a tail is counted with that a kept plan ends in.
  static let bytesPerValue = 512
  /// The part of the bytes that constants may take while they are worked out.
  static let foldedShare = 8
}
