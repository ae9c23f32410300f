/// The largest of everything that a bundle may hold.
package enum BundleLimits {
  /// Bytes of the index.
  package static let indexBytes = 16 * 1024
  /// Files in a bundle.
  package static let files = 16
  /// Bytes of a file's name, and of the model's.
  package static let nameBytes = 64
  /// Bytes of the labels file.
  package static let labelsBytes = 4 << 20
  /// Labels in a bundle.
  package static let labels = 100_000
  /// Bytes of the golden vectors file.
  package static let vectorsBytes = 64 << 20
  /// Golden vectors in a bundle.
  package static let vectors = 1024
  /// Inputs or outputs of one golden vector.
  package static let tensors = 64
  /// Bytes of a whole bundle.
  package static let bundleBytes: Int64 = 1 << 36
  /// Raw bytes of a block.
  package static let blockBytes = 256 * 1024
}
