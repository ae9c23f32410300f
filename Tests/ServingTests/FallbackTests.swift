import Serving
import Tensors
import TestSupport
import Testing

@Suite("Fallback", .serialized)
struct FallbackTests {
  private static func chain(_ models: [String], _ answer: [String: [Double]]? = nil) -> Fallback {
    var fallback = Fallback()
    fallback.models = models
    fallback.answer = answer
    return fallback
  }

  private static func ask(
    _ fixture: ServingFixture, _ image: [UInt8], _ selector: VersionSelector = .latest
  ) throws -> InferenceResponse {
    let outcome = Outcome<Result<VersionLease, ServingError>>()
    fixture.service.lease("digits", selector, mayStandIn: true) { outcome.set($0) }
    let lease = try outcome.wait().get()
    return try fixture.infer(lease, ServingFixture.request(image, lease.description))
  }

  @Test("another model answers for one that does not serve, and says so")
  func standIn() throws {
    let fixture = ServingFixture()
    fixture.manager.declare("digits", fallback: Self.chain(["absent", "other"]))
    let image = try DigitsTestSplit().images[0]
    #expect(throws: ServingError.notReady(model: "digits")) { _ = try Self.ask(fixture, image) }
    try fixture.load(1, model: "other").get()
    let response = try Self.ask(fixture, image)
    #expect(response.fallback == "other")
    #expect(response.version == 1)
    // What is asked about the model itself is not answered by another.
    #expect(throws: ServingError.notReady(model: "digits")) { _ = try fixture.lease() }
    // Who names a version wants that one.
    #expect(throws: ServingError.versionNotFound(model: "digits", version: 1)) {
      _ = try Self.ask(fixture, image, .version(1))
    }
    try fixture.load(2).get()
    #expect(try Self.ask(fixture, image).fallback == nil)
  }

  /// A fixture whose digits classifier is busy and has a full queue while `body` runs.
  private static func overloaded(
    _ fallback: Fallback, _ body: (ServingFixture, VersionLease) throws -> Void
  ) throws {
    let fixture = ServingFixture(threads: 1) { limits in
      limits.inlineThresholdMicroseconds = 0
      limits.queueDepthMaximum = 1
    }
    fixture.manager.declare("digits", fallback: fallback)
    try fixture.load(1).get()
    try fixture.load(1, path: Fixtures.halfPlusTwoModel, model: "half").get()
    try fixture.load(2, model: "other").get()
    let lease = try fixture.lease()
    let image = try DigitsTestSplit().images[0]
    let blocked = Outcome<Bool>()
    let release = Outcome<Bool>()
    fixture.service.infer(lease, ServingFixture.request(image, lease.description)) { _ in
      blocked.set(true)
      _ = release.wait()
    }
    _ = blocked.wait()
    fixture.service.infer(lease, ServingFixture.request(image, lease.description)) { _ in }
    defer { release.set(true) }
    try body(fixture, lease)
  }

  @Test("a constant answers for a model with too many requests, in the form of its outputs")
  func constant() throws {
    let numbers = (0..<10).map { Double($0 - 5) }
    let chain = Self.chain(["absent", "half"], ["probabilities": numbers])
    try Self.overloaded(chain) { fixture, lease in
      let image = try DigitsTestSplit().images[0]
      let response = try fixture.infer(lease, ServingFixture.request(image, lease.description))
      #expect(response.fallback == Fallback.constant)
      #expect(response.outputs[0].bytes == numbers.map { UInt8(bitPattern: Int8($0)) })
      #expect(response.outputs[0].shape == lease.description.outputs[0].type.shape)
    }
  }

  @Test("an answer that does not fit the outputs is none, and the refusal is told")
  func misfit() throws {
    for answer in [
      ["probabilities": [1.0]], ["other": [1.0]],
      ["probabilities": [Double](repeating: 300, count: 10)],
    ] {
      try Self.overloaded(Self.chain([], answer)) { fixture, lease in
        let image = try DigitsTestSplit().images[0]
        do {
          _ = try fixture.infer(lease, ServingFixture.request(image, lease.description))
          Issue.record("an answer that does not fit was given")
        } catch let error as ServingError {
          guard case .queueFull = error else {
            Issue.record("\(error)")
            return
          }
        }
      }
    }
  }

  @Test("what is wrong with a request is told, whoever could step in")
  func invalid() throws {
    let fixture = ServingFixture()
    fixture.manager.declare("digits", fallback: Self.chain(["other"], ["probabilities": []]))
    try fixture.load(1).get()
    let name = try fixture.lease().description.inputs[0].name
    #expect(throws: ServingError.missingInput(name: name)) {
      _ = try fixture.infer(try fixture.lease(), InferenceRequest(inputs: []))
    }
  }
}
