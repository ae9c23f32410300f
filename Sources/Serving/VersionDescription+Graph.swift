import ModelGraph
import Tensors

extension VersionDescription {
  /// The key that a model without signatures answers to, and that is the default where there are
  /// several.
  package static let defaultSignature = "serving_default"

  /// Describes a graph's interface: its tensors under the names of the default signature.
  ///
  /// - Parameters inputs, outputs: as planned, in the order of the graph's own.
  init(
    _ source: VersionSource, _ graph: Graph, inputs: [TensorSpecification],
    outputs: [TensorSpecification], labels: [String]
  ) {
    let signatures = graph.signatures.compactMap { signature in
      Self.describe(signature, graph, inputs: inputs, outputs: outputs)
    }
    let chosen =
      signatures.first { $0.key == Self.defaultSignature } ?? signatures.first
      ?? SignatureDescription(key: Self.defaultSignature, inputs: inputs, outputs: outputs)
    // A signature may leave out or repeat tensors; requests then use the model's own names.
    let isComplete =
      chosen.inputs.count == inputs.count && chosen.outputs.count == outputs.count
    self.init(
      model: source.model, version: source.version,
      inputs: isComplete ? chosen.inputs : inputs,
      outputs: isComplete ? chosen.outputs : outputs,
      signatures: signatures.isEmpty ? [chosen] : signatures, labels: labels)
  }

  /// The signature with its tensors in the model's order; nil when it names none of the model's.
  private static func describe(
    _ signature: Signature, _ graph: Graph, inputs: [TensorSpecification],
    outputs: [TensorSpecification]
  ) -> SignatureDescription? {
    let named = SignatureDescription(
      key: signature.key, inputs: rename(inputs, graph.inputs, signature.inputs),
      outputs: rename(outputs, graph.outputs, signature.outputs))
    return named.inputs.isEmpty || named.outputs.isEmpty ? nil : named
  }

  private static func rename(
    _ specifications: [TensorSpecification], _ values: [ValueID], _ entries: [Signature.Entry]
  ) -> [TensorSpecification] {
    zip(specifications, values).compactMap { specification, value in
      guard let entry = entries.first(where: { $0.value == value }) else { return nil }
      var named = specification
      named.name = entry.name
      return named
    }
  }
}
