package import MemoryPlanning
package import ModelGraph
package import Tensors

/// Why a model cannot be planned or prepared.
package enum RuntimeError: Error, Equatable, Sendable {
  /// The graph contradicts itself or its parameters cannot be.
  case invalidGraph(GraphError)
  /// Operators for which there is no kernel; each kind once.
  case unsupported([MissingKernel])
  /// A value's bytes cannot be addressed.
  case valueTooLarge(name: String, shape: Shape)
  /// The buffers cannot be planned.
  case unplannable(PlanningError)
  /// The system did not grant the bytes.
  case outOfMemory(byteCount: Int)
}

/// An operator with operand types that no kernel computes.
package struct MissingKernel: Sendable, Equatable, Hashable {
  /// The operator's name, as `Operator.name`.
  package var name: String
  /// The element types of its present operands.
  package var inputs: [DataType]
  /// The element types of its results.
  package var outputs: [DataType]
  /// How many nodes of the graph are of this kind.
  package var count: Int

  package init(name: String, inputs: [DataType], outputs: [DataType], count: Int) {
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.count = count
  }
}
