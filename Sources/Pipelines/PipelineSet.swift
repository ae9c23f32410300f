package import KernelInterface
package import Serving
import Synchronization

/// The pipelines of the agent.
package final class PipelineSet: Sendable {
  private let manager: ModelManager
  private let table: KernelTable
  private let pipelines = Mutex<[String: Pipeline]>([:])

  package init(_ manager: ModelManager, table: KernelTable) {
    self.manager = manager
    self.table = table
  }

  /// Puts these in place of all that there are; those that are declared as before go on as they are.
  package func change(_ declarations: [String: PipelineDeclaration]) {
    let all = pipelines.withLock { pipelines in
      pipelines = declarations.reduce(into: [:]) { result, item in
        if let known = pipelines[item.key], known.declaration == item.value {
          result[item.key] = known
        } else {
          result[item.key] = Pipeline(item.key, item.value, manager, table)
        }
      }
      return pipelines
    }
    manager.service.setComposites(all)
    for model in Set(all.values.flatMap(\.members)) { manager.service.readyComposites(with: model) }
  }

  /// Readies what another version of `model` changes.
  package func versionServes(of model: String) { manager.service.readyComposites(with: model) }

  /// What each is made of, by name.
  package var steps: [String: [String]] {
    pipelines.withLock { $0.mapValues { $0.declaration.steps.map(\.summary) } }
  }
}

extension PipelineStep {
  /// In a few words.
  var summary: String {
    switch self {
    case .model(let model): "model \(model)"
    case .top(let top): "top \(top.count)"
    case .choose(let choice):
      "switch to " + choice.cases.map { $0.model ?? "nobody" }.joined(separator: ", ")
    case .image, .audio: name
    }
  }
}
