import ByteParsing
import ModelStorage
import Runtime

/// A mapped file of packed weights.
final class WeightsFile: Sendable {
  private let mapped: MappedFile
  private let file: PackedWeightsFile

  init(_ mapped: MappedFile, _ file: PackedWeightsFile) {
    self.mapped = mapped
    self.file = file
  }

  /// Whether the storage failed to give bytes that were wanted, so that zeros are in their place.
  var isTorn: Bool { mapped.isTorn }

  /// Whether every byte is what was written; reads all of them.
  var isWhole: Bool {
    mapped.populate()
    return file.isWhole && !mapped.isTorn
  }
}

/// Packed weights, and where they lie.
struct KeptWeights: Sendable {
  var weights: PackedWeights
  /// What they are mapped from; nil when they lie in anonymous memory.
  var file: WeightsFile?
  /// Why they do not lie in a file.
  var refusal: WeightsRefusal?
}
