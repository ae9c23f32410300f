import Serving
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
        #expect(error == .queueFull(model: "digits", limit: 1))
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
    request.deadlineMilliseconds = 0
    #expect(throws: ServingError.deadlineExceeded) { _ = try fixture.infer(lease, request) }
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
