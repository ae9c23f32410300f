package import Tensors

/// A model as values and the nodes that make them, in an order in which they can be computed.
///
/// A value type: a pass takes a graph and gives another. Constants are views of the mapped model
/// file.
package struct Graph: Sendable {
  /// A value's index is its `ValueID`.
  package var values: [Value]
  /// In topological order.
  package var nodes: [Node]
  package var inputs: [ValueID]
  package var outputs: [ValueID]
  package var signatures: [Signature]
  /// What the model keeps from one inference to the next.
  package var variables: [Variable] = []
  /// What nodes run that decide at run time; each belongs to one node.
  package var subgraphs: [Graph] = []
  /// The computed values that shapes follow from; `inferShapes` sets them.
  package var determinants: [ValueID] = []
  /// What the model says of itself.
  package var description: ModelDescription

  package init(
    values: [Value], nodes: [Node], inputs: [ValueID], outputs: [ValueID],
    signatures: [Signature] = [], description: ModelDescription = ModelDescription()
  ) {
    self.values = values
    self.nodes = nodes
    self.inputs = inputs
    self.outputs = outputs
    self.signatures = signatures
    self.description = description
  }

  package subscript(id: ValueID) -> Value {
    get { values[id.index] }
    set { values[id.index] = newValue }
  }

  /// The model's inputs in its own order.
  package var inputSpecifications: [TensorSpecification] { inputs.map(specification) }

  /// The model's outputs in its own order.
  package var outputSpecifications: [TensorSpecification] { outputs.map(specification) }

  private func specification(of id: ValueID) -> TensorSpecification {
    let value = self[id]
    return TensorSpecification(
      name: value.name, type: value.type, signatureShape: value.signatureShape)
  }

  /// Adds a value and returns its name in the graph.
  package mutating func append(_ value: Value) -> ValueID {
    values.append(value)
    return ValueID(values.count - 1)
  }
}

/// What a model file says of itself, beyond its computation.
package struct ModelDescription: Sendable, Equatable {
  /// Free text of whoever made the model.
  package var text: String
  /// The oldest runtime of the model's own format that runs it, such as `2.3.0`; empty when not
  /// stated.
  package var minimumRuntimeVersion: String

  package init(text: String = "", minimumRuntimeVersion: String = "") {
    self.text = text
    self.minimumRuntimeVersion = minimumRuntimeVersion
  }
}
