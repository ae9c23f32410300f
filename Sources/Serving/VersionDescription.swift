package import Tensors

/// The inputs and outputs that one entry point of a model names.
package struct SignatureDescription: Sendable, Equatable {
  package var key: String
  package var inputs: [TensorSpecification]
  package var outputs: [TensorSpecification]

  package init(key: String, inputs: [TensorSpecification], outputs: [TensorSpecification]) {
    self.key = key
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// What a version tells its callers about itself.
package struct VersionDescription: Sendable, Equatable {
  package var model: String
  package var version: Int64
  /// In the model's order, under the names of the default signature; the names that requests use.
  package var inputs: [TensorSpecification]
  /// In the model's order, under the names of the default signature.
  package var outputs: [TensorSpecification]
  /// At least one; a model without signatures gets `serving_default` with its tensors' names.
  package var signatures: [SignatureDescription]
  /// The names of the classes; empty when the model comes without.
  package var labels: [String]
  /// The platform name of the Open Inference Protocol.
  package var platform: String

  package init(
    model: String, version: Int64, inputs: [TensorSpecification], outputs: [TensorSpecification],
    signatures: [SignatureDescription], labels: [String], platform: String = "tensorflowlite_tflite"
  ) {
    self.model = model
    self.version = version
    self.inputs = inputs
    self.outputs = outputs
    self.signatures = signatures
    self.labels = labels
    self.platform = platform
  }
}
