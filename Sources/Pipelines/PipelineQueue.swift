import Serving
import Synchronization

/// Requests of one pipeline whose inputs wait to be made ready, on the compute threads.
final class PipelineQueue: Sendable {
  let name: String
  let service: InferenceService
  private let waiting = Atomic<Int>(0)

  init(name: String, service: InferenceService) {
    self.name = name
    self.service = service
  }

  /// Runs `job` when its turn comes; false when too many wait.
  func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
    guard waiting.add(1, ordering: .relaxed).newValue <= service.queueDepthMaximum else {
      waiting.subtract(1, ordering: .relaxed)
      return false
    }
    service.compute { [self] in
      waiting.subtract(1, ordering: .relaxed)
      job()
    }
    return true
  }

  var fullError: ServingError {
    .queueFull(model: name, limit: service.queueDepthMaximum, retryMilliseconds: 1000)
  }
}
