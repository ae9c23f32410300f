import ByteParsing
import Glibc
import KernelDispatch
import KernelInterface
import ModelBundle
import ModelStorage
import Serving
import Synchronization
import Tensors
import TestSupport

/// A model manager and blocking calls on it.
struct ServingFixture {
  let manager: ModelManager
  let events = EventList()

  init(
    budget: Int? = nil, threads: Int = 2, table: KernelTable = .best, cache: WeightsCache? = nil,
    adjust: (inout ServingLimits) -> Void = { _ in }
  ) {
    var limits = ServingLimits()
    // The models of these tests are small.
    if cache != nil { limits.keptWeightsBytesMinimum = 1 }
    adjust(&limits)
    var configuration = ServingConfiguration(
      table: table, budgetBytes: budget, threads: threads, limits: limits,
      onEvent: { [events] in events.append($0) })
    configuration.weightsCache = cache
    manager = ModelManager(configuration)
  }

  var service: InferenceService { manager.service }

  /// Loads a version of the digits classifier, and waits for the outcome.
  @discardableResult
  func load(
    _ version: Int64, path: String? = nil, model: String = "digits", requiresProof: Bool = false,
    latencyLimit: Int? = nil, keepsWeights: Bool = true
  ) -> Result<Void, LoadFailure> {
    let outcome = Outcome<Result<Void, LoadFailure>>()
    var source = VersionSource(
      model: model, version: version, path: path ?? Fixtures.digitsModel(Int(version)),
      requiresProof: requiresProof, latencyLimitMicroseconds: latencyLimit)
    if keepsWeights { source.weightsPlace = .cache(model: model, version: version) }
    manager.load(source) { outcome.set($0) }
    return outcome.wait()
  }

  func lease(
    _ selector: VersionSelector = .latest, model: String = "digits"
  ) throws(ServingError) -> VersionLease {
    let outcome = Outcome<Result<VersionLease, ServingError>>()
    service.lease(model, selector) { outcome.set($0) }
    return try outcome.wait().get()
  }

  func infer(
    _ lease: VersionLease, _ request: InferenceRequest
  ) throws(ServingError) -> InferenceResponse {
    let outcome = Outcome<Result<InferenceResponse, ServingError>>()
    service.infer(lease, request) { outcome.set($0) }
    return try outcome.wait().get()
  }

  /// What one version answers to a picture.
  func answer(_ image: [UInt8], _ selector: VersionSelector = .latest) throws -> InferenceResponse {
    let lease = try lease(selector)
    return try infer(lease, Self.request(image, lease.description))
  }

  static func request(_ image: [UInt8], _ description: VersionDescription) -> InferenceRequest {
    let input = description.inputs[0]
    return InferenceRequest(inputs: [
      NamedTensor(
        name: input.name, dataType: input.type.dataType, shape: input.type.shape, bytes: image)
    ])
  }

  func states(_ model: String = "digits") throws -> [Int64: VersionState] {
    Dictionary(
      try service.statuses(of: model).map { ($0.version, $0.state) },
      uniquingKeysWith: { first, _ in first })
  }

  /// Bytes that a version of the digits classifier is charged at most, while it is proven.
  static func needs(_ version: Int64 = 1) throws -> Int {
    let fixture = ServingFixture()
    try fixture.load(version).get()
    return fixture.manager.ledger.snapshot().peakBytes
  }
}

/// The events of a manager, in order.
final class EventList: Sendable {
  private let events = Mutex<[ServingEvent]>([])

  func append(_ event: ServingEvent) { events.withLock { $0.append(event) } }
  var all: [ServingEvent] { events.withLock { $0 } }
}

/// A value that another thread provides.
final class Outcome<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)

  func set(_ value: Value) { self.value.withLock { $0 = value } }

  var current: Value? { value.withLock { $0 } }

  /// Blocks until the value is there; traps after a minute, long after anything here takes.
  func wait() -> Value {
    for _ in 0..<600_000 {
      if let value = current { return value }
      usleep(100)
    }
    fatalError("no outcome within a minute")
  }
}

/// Waits until `condition` holds, at most some seconds.
func eventually(_ condition: () -> Bool) -> Bool {
  for _ in 0..<50_000 {
    if condition() { return true }
    usleep(200)
  }
  return false
}

/// Writes bundles of the digits classifier.
enum DigitsBundle {
  /// - Parameter spoiled: whether one recorded output is wrong.
  static func write(
    _ version: Int, into directory: TemporaryDirectory, spoiled: Bool = false
  ) throws -> String {
    let model = Fixtures.digitsModel(version)
    var vectors = try Fixtures.goldenVectors(beside: model)
    if spoiled { vectors[0].output.bytes[3] ^= 0x40 }
    let contents = BundleContents(
      modelName: "digits", model: try readFile(model), labels: (0...9).map(String.init),
      golden: GoldenVectors(
        vectors: vectors.map { vector in
          .init(inputs: [.init(vector.input.bytes)], outputs: [.init(vector.output.bytes)])
        }))
    let path = "\(directory.path)/digits-\(version)\(spoiled ? "-spoiled" : "").bundle"
    write(try contents.encode(), to: path)
    return path
  }

  static func write(_ bytes: [UInt8], to path: String) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    precondition(file >= 0)
    // Sound: the pointer and count are of the same array.
    let count = unsafe Glibc.write(file, bytes, bytes.count)
    precondition(count == bytes.count)
    close(file)
  }
}

/// Holds a thread until it is released.
final class Gate: Sendable {
  private let state = Atomic<Int>(0)

  func hold() {
    state.store(1, ordering: .releasing)
    while state.load(ordering: .acquiring) == 1 { usleep(200) }
  }

  func waitUntilHeld() { while state.load(ordering: .acquiring) == 0 { usleep(200) } }

  func release() { state.store(2, ordering: .releasing) }
}
