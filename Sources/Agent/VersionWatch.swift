import Pipelines
import Serving
import Synchronization

/// Tells those who are made later what happens to versions: pipelines are readied for each that comes
/// into service, before a request needs them, and what is lost is looked for again.
final class VersionWatch: Sendable {
  private let watchers = Mutex<(pipelines: PipelineSet?, stores: LocalStores?)>((nil, nil))

  func tell(_ pipelines: PipelineSet) { watchers.withLock { $0.pipelines = pipelines } }

  func tell(_ stores: LocalStores) { watchers.withLock { $0.stores = stores } }

  func see(_ event: ServingEvent) {
    let watchers = watchers.withLock { $0 }
    switch event {
    case .serving(let model, _, _, _), .restored(let model, _):
      watchers.pipelines?.versionServes(of: model)
    case .lost(let model, let version, _): watchers.stores?.lost(model, version)
    default: break
    }
  }
}
