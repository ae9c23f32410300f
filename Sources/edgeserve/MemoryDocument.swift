import Runtime

/// A model's memory as commands print it in JSON.
struct MemoryDocument: Encodable {
  var weightsBytes: Int
  /// Of the packed weights, those that are mapped from a file of theirs: in `inspect`, by an agent.
  var weightsFileBytes: Int
  var fileBackedBytes: Int
  var arenaBytes: Int
  var scratchBytes: Int
  var peakBytes: Int

  enum CodingKeys: String, CodingKey {
    case weightsBytes = "weights_bytes"
    case weightsFileBytes = "weights_file_bytes"
    case fileBackedBytes = "file_backed_bytes"
    case arenaBytes = "arena_bytes"
    case scratchBytes = "scratch_bytes"
    case peakBytes = "peak_bytes"
  }

  /// - Parameter mappedBytes: packed weights that lie in a file.
  init(_ needs: MemoryNeeds, mappedBytes: Int = 0) {
    weightsBytes = needs.weightsBytes
    weightsFileBytes = mappedBytes
    fileBackedBytes = needs.fileBackedBytes
    arenaBytes = needs.arenaBytes
    scratchBytes = needs.scratchBytes
    peakBytes = needs.peakBytes
  }

  /// For people.
  var line: String {
    "memory   \(peakBytes) bytes: weights \(weightsBytes)"
      + (weightsFileBytes > 0 ? ", \(weightsFileBytes) of them in a file" : "")
      + ", from the model's file \(fileBackedBytes), arena \(arenaBytes), scratch \(scratchBytes)"
  }
}
