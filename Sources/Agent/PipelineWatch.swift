import Pipelines
import Serving
import Synchronization

/// Has pipelines readied for each version that comes into service, before a request needs them.
final class PipelineWatch: Sendable {
  private let set = Mutex<PipelineSet?>(nil)

  var pipelines: PipelineSet? {
    get { set.withLock { $0 } }
    set { set.withLock { $0 = newValue } }
  }

  func see(_ event: ServingEvent) {
    switch event {
    case .serving(let model, _, _, _), .restored(let model, _):
      pipelines?.versionServes(of: model)
    default: break
    }
  }
}
