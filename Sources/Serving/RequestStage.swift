/// A part of a request's time in the serving side; one histogram each.
package enum RequestStage: String, Sendable, CaseIterable {
  /// From admission until an instance begins.
  case queue
  /// On the instance: inputs in, kernels, outputs out.
  case infer
}
