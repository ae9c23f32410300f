import Tensors

/// An instance on its way between the idle list and the one thread that runs it.
struct InstanceSlot: @unchecked Sendable {
  /// Runs each row and gathers the outputs of all.
  func run(
    _ request: InferenceRequest, _ plan: RequestPlan, _ description: VersionDescription
  ) -> InferenceResponse {
    fatalError()
  }
}
