internal import Serving
internal import TensorJSON
internal import Transport

/// The counters of versions that serve, in the form of the extension `statistics`.
///
/// Inputs are copied, run and read back in one go, so that `compute_infer` holds all three.
func statistics(_ statuses: [VersionStatus]) -> HTTPResponse {
  var writer = JSONWriter(capacity: 1024)
  writer.raw("{\"model_stats\":[")
  for (index, status) in statuses.enumerated() {
    if index > 0 { writer.raw(",") }
    writer.statistics(status)
  }
  writer.raw("]}")
  return .json(writer.bytes)
}

extension JSONWriter {
  fileprivate mutating func statistics(_ status: VersionStatus) {
    let answered = status.outcomes[.ok] ?? 0
    let queue = status.stages[.queue]?.sumNanoseconds ?? 0
    let infer = status.stages[.infer]?.sumNanoseconds ?? 0
    raw("{\"name\":")
    string(status.model)
    raw(",\"version\":\"")
    integer(status.version)
    raw("\",\"last_inference\":")
    integer(status.lastAnswerMilliseconds)
    raw(",\"inference_count\":")
    integer(status.rows)
    raw(",\"execution_count\":")
    integer(status.runs.values.reduce(0) { $0 + $1.count })
    raw(",\"inference_stats\":{\"success\":")
    duration(answered, queue + infer)
    raw(",\"fail\":")
    duration(status.errors, 0)
    raw(",\"queue\":")
    duration(answered, queue)
    raw(",\"compute_input\":")
    duration(answered, 0)
    raw(",\"compute_infer\":")
    duration(answered, infer)
    raw(",\"compute_output\":")
    duration(answered, 0)
    raw(",\"cache_hit\":")
    duration(status.cacheHits, 0)
    raw(",\"cache_miss\":")
    duration(status.cacheMisses, 0)
    raw("},\"response_stats\":{},\"batch_stats\":[")
    for (index, run) in status.runs.sorted(by: { $0.key < $1.key }).enumerated() {
      raw(index > 0 ? ",{\"batch_size\":" : "{\"batch_size\":")
      integer(run.key)
      raw(",\"compute_input\":")
      duration(run.value.count, 0)
      raw(",\"compute_infer\":")
      duration(run.value.count, run.value.nanoseconds)
      raw(",\"compute_output\":")
      duration(run.value.count, 0)
      raw("}")
    }
    raw("],\"memory_usage\":[{\"type\":\"CPU\",\"id\":0,")
    raw("\"byte_size\":")
    integer(status.memory.totalBytes)
    raw("}]}")
  }

  private mutating func duration(_ count: UInt64, _ nanoseconds: UInt64) {
    raw("{\"count\":")
    integer(count)
    raw(",\"ns\":")
    integer(nanoseconds)
    raw("}")
  }
}
