package import ModelStorage

/// Where a version comes from.
package struct VersionSource: Sendable, Equatable {
  package var model: String
  /// Positive.
  package var version: Int64
  /// A `.tflite` file or a bundle file.
  package var path: String
  /// Whether a version without golden vectors is refused; with them it is always proven.
  package var requiresProof: Bool
  /// The largest median of one inference that the latency gate admits; nil for no gate.
  package var latencyLimitMicroseconds: Int?
  /// The same in thousandths of that of the version that serves when the load begins.
  package var latencyRatioMaximum: Int?
  /// The most bytes that weights, activations and scratch may take; nil for no bound but the
  /// budget.
  package var memoryBytesMaximum: Int?
  /// Bytes of answers that are kept for requests that come again; 0 for none. A model with a state
  /// keeps none.
  package var cacheBytes: Int
  /// Rows of requests that are run together at most, 1 for none; nil for what the agent says.
  package var batchRowsMaximum: Int?
  /// Requests that are run side by side at most, each in memory of its own; nil for what the agent
  /// says. A model with a state has one, for its inferences follow upon each other.
  package var instances: Int?
  /// Whether it is refused when a composite that the versions in service answer would not fit it.
  package var keepsComposites = true
  /// What activations may take whose shapes depend on data; nil for
  /// `DeferralLimits.activationBytesDefault` and twice those whose shapes do not.
  package var computedShapesBytes: Int?
  /// Where its packed weights are kept in a file; nil for nowhere.
  package var weightsPlace: PackedWeightsPlace?

  package init(
    model: String, version: Int64, path: String, requiresProof: Bool = false,
    latencyLimitMicroseconds: Int? = nil, latencyRatioMaximum: Int? = nil,
    memoryBytesMaximum: Int? = nil, cacheBytes: Int = 0
  ) {
    self.cacheBytes = cacheBytes
    self.model = model
    self.version = version
    self.path = path
    self.requiresProof = requiresProof
    self.latencyLimitMicroseconds = latencyLimitMicroseconds
    self.latencyRatioMaximum = latencyRatioMaximum
    self.memoryBytesMaximum = memoryBytesMaximum
  }
}
