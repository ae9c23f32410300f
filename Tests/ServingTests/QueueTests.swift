import Glibc
import Serving
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite("Request queue", .serialized)
struct QueueTests {
  /// A request of the largest batch, which keeps its instance busy for milliseconds.
  private static func longRequest(_ description: VersionDescription) -> InferenceRequest {
    let input = description.inputs[0]
    let rows = ServingLimits().batchMaximum
    return InferenceRequest(inputs: [
      NamedTensor(
        name: input.name, dataType: input.type.dataType,
        shape: Shape([rows * input.type.shape[0]] + input.type.shape.extents.dropFirst()),
        bytes: [UInt8](repeating: 0, count: rows * (input.type.byteCount ?? 0)))
    ])
  }

  @Test("refuses what the queue does not hold, and answers the rest")
  func full() throws {
    let fixture = ServingFixture { limits in
      limits.inlineThresholdMicroseconds = 0
      limits.queueDepthMaximum = 1
    }
    try fixture.load(1).get()
    let lease = try fixture.lease()
    let request = Self.longRequest(lease.description)
    let outcomes = (0..<10).map { _ in
      let outcome = Outcome<Result<InferenceResponse, ServingError>>()
      fixture.service.infer(lease, request) { outcome.set($0) }
      return outcome
    }
    var refused = 0
    for outcome in outcomes {
      switch outcome.wait() {
      case .success(let response): #expect(response.version == 1)
      case .failure(let error):
        guard case .queueFull(model: "digits", limit: 1, let pause) = error else {
          Issue.record("\(error)")
          continue
        }
        #expect(pause > 0)
        refused += 1
      }
    }
    #expect((1...8).contains(refused))
    let status = try #require(try fixture.service.statuses(of: "digits").first)
    #expect(status.outcomes[.queueFull] == UInt64(refused))
    #expect(status.errors == UInt64(refused))
    #expect(status.requests == 10)
  }

  @Test("does not start a request whose deadline passed in the queue")
  func deadline() throws {
    let fixture = ServingFixture { $0.inlineThresholdMicroseconds = 0 }
    try fixture.load(1).get()
    let lease = try fixture.lease()
    var request = Self.longRequest(lease.description)
    fixture.service.infer(lease, request) { _ in }
    request.terms.deadline = MonotonicClock.now()
    #expect(throws: ServingError.deadlineExceeded) { _ = try fixture.infer(lease, request) }
  }

  /// A version whose one instance is busy until `release` is called on the box that comes with it.
  private static func busy(
    depth: Int, _ fixture: ServingFixture
  ) throws -> (lease: VersionLease, gate: Gate) {
    try fixture.load(1).get()
    let lease = try fixture.lease()
    let gate = Gate()
    // The completion runs on the compute thread, before the instance takes the next request.
    fixture.service.infer(lease, longRequest(lease.description)) { _ in gate.hold() }
    gate.waitUntilHeld()
    return (lease, gate)
  }

  private static func fixture(depth: Int) -> ServingFixture {
    ServingFixture(threads: 1) { limits in
      limits.inlineThresholdMicroseconds = 0
      limits.queueDepthMaximum = depth
    }
  }

  @Test("tells a request whose deadline passes in the queue at once, however busy the threads are")
  func deadlineInQueue() throws {
    let fixture = Self.fixture(depth: 4)
    let (lease, gate) = try Self.busy(depth: 4, fixture)
    var request = Self.longRequest(lease.description)
    request.terms.narrow(timeoutMicroseconds: 5_000)
    let outcome = Outcome<Result<InferenceResponse, ServingError>>()
    fixture.service.infer(lease, request) { outcome.set($0) }
    #expect(throws: ServingError.deadlineExceeded) { _ = try outcome.wait().get() }
    gate.release()
  }

  @Test("bounds the wait of requests that say nothing of it")
  func boundForAll() throws {
    let fixture = ServingFixture(threads: 1) { limits in
      limits.inlineThresholdMicroseconds = 0
      limits.queueMillisecondsMaximum = 2_000
    }
    try fixture.load(1).get()
    let lease = try fixture.lease()
    let gate = Gate()
    let first = Outcome<Result<InferenceResponse, ServingError>>()
    fixture.service.infer(lease, Self.longRequest(lease.description)) { result in
      first.set(result)
      gate.hold()
    }
    gate.waitUntilHeld()
    #expect(try first.wait().get().version == 1)
    let outcome = Outcome<Result<InferenceResponse, ServingError>>()
    fixture.service.infer(lease, Self.longRequest(lease.description)) { outcome.set($0) }
    #expect(throws: ServingError.deadlineExceeded) { _ = try outcome.wait().get() }
    gate.release()
  }

  @Test("bounds each wait of a composite, and not the work of its members")
  func boundOfComposites() throws {
    let fixture = ServingFixture { limits in
      // Members run at once, so that nothing but the work takes time.
      limits.inlineThresholdMicroseconds = 1_000_000
      limits.queueMillisecondsMaximum = 200
    }
    try fixture.load(1).get()
    let slow = SlowComposite(fixture.service, nanoseconds: 300_000_000)
    fixture.service.setComposites(["slow": slow])
    let lease = try fixture.lease(model: "slow")
    let image = try DigitsTestSplit().images[0]
    let answer = try fixture.infer(lease, ServingFixture.request(image, lease.description))
    #expect(try answer.outputs == fixture.answer(image).outputs)
  }

  @Test("drops a request whose client leaves, and never runs it")
  func cancellation() throws {
    let fixture = Self.fixture(depth: 1)
    let (lease, gate) = try Self.busy(depth: 1, fixture)
    var request = Self.longRequest(lease.description)
    let leave = Handler()
    request.terms.whenAbandoned = { leave.set($0) }
    let outcome = Outcome<Result<InferenceResponse, ServingError>>()
    fixture.service.infer(lease, request) { outcome.set($0) }
    leave.call()
    #expect(throws: ServingError.cancelled) { _ = try outcome.wait().get() }
    // Its place in the queue is free again.
    let next = Outcome<Result<InferenceResponse, ServingError>>()
    fixture.service.infer(lease, Self.longRequest(lease.description)) { next.set($0) }
    gate.release()
    #expect(try next.wait().get().version == 1)
    let status = try #require(try fixture.service.statuses(of: "digits").first)
    #expect(status.outcomes == [.ok: 2, .cancelled: 1])
  }

  @Test("answers the urgent first, and gives a place in a full queue to them")
  func priorities() throws {
    let fixture = Self.fixture(depth: 3)
    let (lease, gate) = try Self.busy(depth: 3, fixture)
    let order = Order()
    var outcomes: [Outcome<Result<InferenceResponse, ServingError>>] = []
    for (name, priority) in [
      ("low", RequestPriority.low), ("normal", .normal), ("second", .normal), ("high", .high),
    ] {
      var request = Self.longRequest(lease.description)
      request.terms.priority = priority
      let outcome = Outcome<Result<InferenceResponse, ServingError>>()
      fixture.service.infer(lease, request) { result in
        if case .success = result { order.append(name) }
        outcome.set(result)
      }
      outcomes.append(outcome)
    }
    guard case .failure(.queueFull) = outcomes[0].wait() else {
      Issue.record("the least urgent was not displaced")
      return
    }
    gate.release()
    for outcome in outcomes.dropFirst() { _ = try outcome.wait().get() }
    #expect(order.names == ["high", "normal", "second"])
  }

  @Test("a model with few requests is not kept waiting by one with many")
  func fairShare() throws {
    let fixture = Self.fixture(depth: 64)
    let (busy, gate) = try Self.busy(depth: 64, fixture)
    try fixture.load(1, model: "other").get()
    let other = try fixture.lease(model: "other")
    let order = Order()
    var outcomes: [Outcome<Result<InferenceResponse, ServingError>>] = []
    func ask(_ lease: VersionLease, _ name: String) {
      let outcome = Outcome<Result<InferenceResponse, ServingError>>()
      outcomes.append(outcome)
      fixture.service.infer(lease, Self.longRequest(lease.description)) { result in
        order.append(name)
        outcome.set(result)
      }
    }
    for _ in 0..<40 { ask(busy, "many") }
    for _ in 0..<5 { ask(other, "few") }
    gate.release()
    for outcome in outcomes { _ = try outcome.wait().get() }
    // They take turns on the one thread, however many wait.
    let places = order.names.indices.filter { order.names[$0] == "few" }
    #expect(places.count == 5)
    for (number, place) in places.enumerated() { #expect(place <= 2 * (number + 1)) }
  }

  @Test("runs a short inference on the thread that brings it")
  func inline() throws {
    let fixture = ServingFixture { $0.inlineThresholdMicroseconds = 1_000_000 }
    try fixture.load(1).get()
    let lease = try fixture.lease()
    let image = try DigitsTestSplit().images[0]
    let outcome = Outcome<Bool>()
    fixture.service.infer(lease, ServingFixture.request(image, lease.description)) { _ in
      outcome.set(true)
    }
    #expect(outcome.current == true)
  }

  @Test("counts a request that is refused before it runs")
  func invalid() throws {
    let fixture = ServingFixture()
    try fixture.load(1).get()
    let name = try fixture.lease().description.inputs[0].name
    #expect(throws: ServingError.missingInput(name: name)) {
      _ = try fixture.infer(try fixture.lease(), InferenceRequest(inputs: []))
    }
    let status = try #require(try fixture.service.statuses(of: "digits").first)
    #expect(status.outcomes == [.invalid: 1])
  }
}

/// Asks the digits classifier twice, and works for so long in between.
private final class SlowComposite: Composite {
  private let service: InferenceService
  private let nanoseconds: UInt64
  let members = ["digits"]

  init(_ service: InferenceService, nanoseconds: UInt64) {
    self.service = service
    self.nanoseconds = nanoseconds
  }

  func misfit(_ descriptions: [VersionDescription]) -> String? { nil }

  func bind(
    _ leases: [VersionLease],
    _ completion: @escaping @Sendable (Result<any BoundComposite, ServingError>) -> Void
  ) {
    completion(
      .success(
        Bound(
          description: leases[0].description, service: service, nanoseconds: nanoseconds)))
  }

  private struct Bound: BoundComposite {
    let description: VersionDescription
    let memory = VersionMemory()
    let service: InferenceService
    let nanoseconds: UInt64

    func run(
      _ leases: [VersionLease], _ request: InferenceRequest,
      _ completion: @escaping @Sendable (Result<InferenceResponse, ServingError>) -> Void
    ) {
      let end = MonotonicClock.now() + nanoseconds
      service.infer(leases[0], request) { [service] result in
        guard case .success = result else { return completion(result) }
        while MonotonicClock.now() < end { usleep(1000) }
        service.infer(leases[0], request, completion)
      }
    }
  }
}

/// A closure that is called later.
private final class Handler: Sendable {
  private let body = Mutex<(@Sendable () -> Void)?>(nil)

  func set(_ body: @escaping @Sendable () -> Void) { self.body.withLock { $0 = body } }
  func call() { body.withLock { $0 }?() }
}

/// Names in the order that they came.
private final class Order: Sendable {
  private let state = Mutex<[String]>([])

  var names: [String] { state.withLock { $0 } }
  func append(_ name: String) { state.withLock { $0.append(name) } }
}
