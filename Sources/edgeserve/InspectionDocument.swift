import ModelGraph
import Runtime
import TFLiteImport
import Tensors

/// What `inspect` says of a model file, as it prints it in JSON.
struct InspectionDocument: Encodable {
  struct Tensor: Encodable {
    var name: String
    var type: String
    /// The shape planned for.
    var shape: [Int]
    /// The shape declared, −1 where an extent is free.
    var signatureShape: [Int]
    var scale: Float?
    var zeroPoint: Int32?

    enum CodingKeys: String, CodingKey {
      case name, type, shape, scale
      case signatureShape = "signature_shape"
      case zeroPoint = "zero_point"
    }

    init(_ specification: TensorSpecification) {
      name = specification.name
      type = "\(specification.type.dataType)"
      shape = specification.type.shape.extents
      signatureShape = specification.signatureShape.extents
      let quantization = specification.type.quantization
      scale = quantization?.scales.first
      zeroPoint = quantization?.zeroPoints.first
    }
  }

  /// Whether requests can be run together, and what that takes.
  struct Batching: Encodable {
    struct Size: Encodable {
      var rows: Int
      /// Activations and scratch.
      var arenaBytes: Int

      enum CodingKeys: String, CodingKey {
        case rows
        case arenaBytes = "arena_bytes"
      }
    }

    var sizes: [Size] = []
    /// Why not, or not more: a code, and the same for people.
    var refusal: String?
    var detail: String?
  }

  struct OperatorCount: Encodable {
    var name: String
    var count: Int
    var supported: Bool
  }

  struct Step: Encodable {
    var name: String
    var kernel: String
    var output: String
    var macs: Int
    var bytes: Int

    init(_ step: StepDescription) {
      name = step.operatorName
      kernel = step.kernelName
      output = step.outputName
      macs = step.multiplyAccumulates
      bytes = step.byteCount
    }
  }

  var format: ModelSource.Format
  /// Bytes of the model without its bundle.
  var modelBytes: Int
  var description: String
  var labels: Int?
  var inputs: [Tensor] = []
  var outputs: [Tensor] = []
  var signatures: [String] = []
  /// For people: each signature with the names that requests use.
  var calls: [String] = []
  var operators: [OperatorCount] = []
  /// Whether every operator can run here.
  var supported = false
  /// The kernel table that would run it.
  var kernels: String
  var memory: MemoryDocument?
  var steps: [Step] = []
  /// Left out of models that cannot run here.
  var batching: Batching?

  enum CodingKeys: String, CodingKey {
    case format, description, labels, inputs, outputs, signatures, operators, supported, kernels
    case memory, steps, batching
    case modelBytes = "model_bytes"
  }
}

extension InspectionDocument {
  /// The operators of a graph, in order of first appearance, and which of them lack a kernel.
  static func operators(of graph: Graph, missing: [MissingKernel]) -> [OperatorCount] {
    var counts: [OperatorCount] = []
    for node in graph.nodesThroughout {
      let name = node.operation.name
      if let index = counts.firstIndex(where: { $0.name == name }) {
        counts[index].count += 1
      } else {
        let isMissing = missing.contains { $0.name == name }
        counts.append(OperatorCount(name: name, count: 1, supported: !isMissing))
      }
    }
    return counts
  }
}

extension Graph {
  /// The nodes, and those of every graph that a loop or a branch runs.
  fileprivate var nodesThroughout: [Node] { nodes + subgraphs.flatMap(\.nodesThroughout) }
}
