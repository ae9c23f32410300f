import ByteParsing
import KernelInterface
import MemoryPlanning
package import ModelGraph
package import Tensors

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
  static let plansMaximum = 64
  /// What a step of a kept plan is counted with for its description and addresses, beside its operands.
  static let bytesPerStep = 2048
  /// The part of the bytes that constants may take while they are worked out.
  static let foldedShare = 8
}

/// Why an inference whose shapes follow from its values has no result.
package enum DeferralFailure: Error, Equatable, Sendable {
  /// The values give shapes that the model's operators do not take.
  case shapes(GraphError)
  /// An output of another shape than the model declares.
  case outputShape(output: Int, expected: Shape, actual: Shape)
  /// The values ask for more bytes than were set aside; `needed` counts what was planned so far.
  case bytes(needed: Int, limit: Int)
  /// No kernel computes an operator on these shapes.
  case unsupported([MissingKernel])
  /// The plan cannot be made.
  case unplannable(RuntimeError)

  /// What went wrong, for people; without a point at its end.
  package var phrase: String {
    switch self {
    case .shapes(let error):
      "their values give shapes that the model's operators do not take: \(error)"
    case .outputShape(let output, let expected, let actual):
      "output \(output) would have the shape \(actual.extents), and the model declares "
        + "\(expected.extents)"
    case .bytes(let needed, let limit):
      "their values ask for \(needed) bytes or more, and \(limit) are set aside for shapes that "
        + "depend on data"
    case .unsupported(let kernels):
      "no kernel computes " + kernels.map { "\($0.name) ×\($0.count)" }.joined(separator: ", ")
    case .unplannable(let error): "their values give what cannot be planned: \(error)"
    }
  }
}
