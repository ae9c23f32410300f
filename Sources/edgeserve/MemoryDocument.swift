import Runtime

/// A model's memory as commands print it in JSON.
struct MemoryDocument: Encodable {
  var weightsBytes: Int
  var fileBackedBytes: Int
  var arenaBytes: Int
  var scratchBytes: Int
  var peakBytes: Int

  enum CodingKeys: String, CodingKey {
    case weightsBytes = "weights_bytes"
    case fileBackedBytes = "file_backed_bytes"
    case arenaBytes = "arena_bytes"
    case scratchBytes = "scratch_bytes"
    case peakBytes = "peak_bytes"
  }

  init(_ needs: MemoryNeeds) {
    weightsBytes = needs.weightsBytes
    fileBackedBytes = needs.fileBackedBytes
    arenaBytes = needs.arenaBytes
    scratchBytes = needs.scratchBytes
    peakBytes = needs.peakBytes
  }

  /// For people.
  var line: String {
    "memory   \(peakBytes) bytes: weights \(weightsBytes), from the file \(fileBackedBytes), "
      + "arena \(arenaBytes), scratch \(scratchBytes)"
  }
}
