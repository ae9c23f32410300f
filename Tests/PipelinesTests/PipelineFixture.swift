import ByteParsing
import Glibc
import KernelDispatch
import KernelInterface
import Pipelines
import Serving
import Synchronization
import Tensors
import TestSupport

/// Models, pipelines of them, and blocking calls.
struct PipelineFixture {
  let manager: ModelManager
  let pipelines: PipelineSet

  init(budget: Int? = nil) {
    let set = Shared<PipelineSet?>(nil)
    manager = ModelManager(
      ServingConfiguration(
        table: KernelTable.best, budgetBytes: budget, threads: 2,
        onEvent: { event in
          if case .serving(let model, _, _, _) = event { set.value?.versionServes(of: model) }
        }))
    pipelines = PipelineSet(manager, table: KernelTable.best)
    set.value = pipelines
  }

  /// Ends what holds itself.
  func close() {
    pipelines.change([:])
    manager.shutdown(drainMilliseconds: 5000)
  }

  func load(_ model: String, _ version: Int64, _ path: String) throws {
    let outcome = Shared<Result<Void, LoadFailure>?>(nil)
    manager.load(VersionSource(model: model, version: version, path: path)) { outcome.value = $0 }
    try outcome.wait().get()
  }

  func lease(_ name: String) throws(ServingError) -> VersionLease {
    let outcome = Shared<Result<VersionLease, ServingError>?>(nil)
    manager.service.lease(name, .latest) { outcome.value = $0 }
    return try outcome.wait().get()
  }

  func infer(
    _ name: String, _ inputs: [NamedTensor], outputs: [String]? = nil
  ) throws(ServingError) -> InferenceResponse {
    let lease = try lease(name)
    let outcome = Shared<Result<InferenceResponse, ServingError>?>(nil)
    manager.service.infer(lease, InferenceRequest(inputs: inputs, outputNames: outputs)) {
      outcome.value = $0
    }
    return try outcome.wait().get()
  }

  /// Why the versions that serve cannot answer `name`.
  func misfit(_ name: String) -> String? {
    do throws(ServingError) {
      _ = try lease(name)
    } catch {
      if case .misfit(_, let reason) = error { return reason }
      return "\(error)"
    }
    return nil
  }
}

/// A value that threads share.
final class Shared<Value: Sendable>: Sendable {
  private let content: Mutex<Value>

  init(_ value: Value) { content = Mutex(value) }

  var value: Value {
    get { content.withLock { $0 } }
    set { content.withLock { $0 = newValue } }
  }

  /// Blocks until there is a value; traps after a minute, long after anything here takes.
  func wait<Wrapped>() -> Wrapped where Value == Wrapped? {
    for _ in 0..<600_000 {
      if let value { return value }
      usleep(100)
    }
    fatalError("no outcome within a minute")
  }
}

extension NamedTensor {
  var strings: [String] { StringElements.strings(bytes, count: shape.elementCount ?? 0) ?? [] }
  var floats: [Float] { (0..<(shape.elementCount ?? 0)).map { Float(number(at: $0)) } }
}
