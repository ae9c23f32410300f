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

  package init(
    model: String, version: Int64, path: String, requiresProof: Bool = false,
    latencyLimitMicroseconds: Int? = nil
  ) {
    self.model = model
    self.version = version
    self.path = path
    self.requiresProof = requiresProof
    self.latencyLimitMicroseconds = latencyLimitMicroseconds
  }
}
