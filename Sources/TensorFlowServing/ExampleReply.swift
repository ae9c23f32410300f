internal import Serving
internal import TensorJSON
internal import Transport

/// Writes the reply to a classify or regress request.
func exampleReply(
  _ response: InferenceResponse, call: Endpoint.Call, labels: [String]
) -> HTTPResponse {
  var writer = JSONWriter(capacity: 256)
  writer.raw("{\"results\":[")
  switch call {
  case .classify:
    for (row, classes) in classifications(response, labels: labels).enumerated() {
      if row > 0 { writer.raw(",") }
      writer.raw("[")
      for (index, entry) in classes.enumerated() {
        if index > 0 { writer.raw(",") }
        writer.raw("[")
        writer.string(entry.label)
        writer.raw(",")
        writer.float(entry.score)
        writer.raw("]")
      }
      writer.raw("]")
    }
  case .regress, .predict:
    for (row, value) in regressions(response).enumerated() {
      if row > 0 { writer.raw(",") }
      writer.float(value)
    }
  }
  writer.raw("]}")
  return .json(writer.bytes, headers: versionFields(response))
}
