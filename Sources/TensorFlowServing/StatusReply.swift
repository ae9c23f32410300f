package import Serving
internal import TensorJSON
internal import Transport

/// TensorFlow Serving's word for the state of a version; nil for states that it does not know.
package func stateName(_ state: VersionState) -> String? {
  switch state {
  case .offered, .fetching: nil
  case .staged: "START"
  case .preparing, .proving: "LOADING"
  case .serving: "AVAILABLE"
  case .draining: "UNLOADING"
  case .retired, .refused, .rolledBack: "END"
  }
}

/// Writes the states of versions, the highest first; nil when there is none to show.
func statusReply(_ statuses: [VersionStatus]) -> HTTPResponse? {
  var writer = JSONWriter()
  var count = 0
  writer.raw("{\"model_version_status\":[")
  for status in statuses {
    guard let state = stateName(status.state) else { continue }
    if count > 0 { writer.raw(",") }
    count += 1
    writer.raw("{\"version\":")
    writer.string("\(status.version)")
    writer.raw(",\"state\":")
    writer.string(state)
    writer.raw(",\"status\":{\"error_code\":")
    writer.string(status.cause.map(canonicalCode) ?? "OK")
    writer.raw(",\"error_message\":")
    writer.string(status.cause?.publicSentence ?? "")
    writer.raw("}}")
  }
  writer.raw("]}")
  return count > 0 ? .json(writer.bytes) : nil
}

/// The canonical code of a failed load.
private func canonicalCode(_ failure: LoadFailure) -> String {
  switch failure {
  case .unreadable: "NOT_FOUND"
  case .invalidModel, .changedWhileLoading: "INVALID_ARGUMENT"
  case .unsupported: "UNIMPLEMENTED"
  case .overBudget, .drainTimedOut: "RESOURCE_EXHAUSTED"
  case .goldenMismatch, .goldenMalformed, .noGoldenVectors, .latencyGate,
    .memoryGate, .misfit, .warmUp: "FAILED_PRECONDITION"
  case .shuttingDown: "CANCELLED"
  }
}
