import Pipelines
import Serving
import Tensors
import TestSupport
import Testing

@Suite("Versions that pipelines do not fit")
struct GateTests {
  private static let chain = PipelineDeclaration(steps: [.model("first"), .model("second")])
  private let directory = TemporaryDirectory("edgeserve-gates")

  /// A model that gives back its input of so many numbers.
  private func copy(_ width: Int32) throws -> String {
    let path = directory.path + "/\(width).tflite"
    try CopyModel.write([1, width], to: path)
    return path
  }

  /// Two models of four numbers, one behind the other.
  private func fixture() throws -> PipelineFixture {
    let fixture = PipelineFixture()
    try fixture.load("first", 1, try copy(4))
    try fixture.load("second", 1, try copy(4))
    fixture.pipelines.change(["chain": Self.chain])
    return fixture
  }

  private func serving(_ fixture: PipelineFixture, _ model: String) throws -> [Int64] {
    try fixture.manager.service.statuses(of: model).filter { $0.state == .serving }.map(\.version)
  }

  private func apply(_ fixture: PipelineFixture, _ versions: [VersionSource]) throws {
    let outcome = Shared<Result<Void, PlanFailure>?>(nil)
    fixture.manager.apply(
      versions.map { ModelPlan(model: $0.model, policy: .latest(1), versions: [$0]) }
    ) { outcome.value = $0 }
    try outcome.wait().get()
  }

  private static let refusal = LoadFailure.misfit(
    "The pipeline \"chain\" works with the versions that serve and would not with this one. "
      + "Step 2: the model second takes float32 [1, 8]; what comes is float32 [1, 4].")

  @Test("are refused by the pipeline's name, and what served serves on")
  func refused() throws {
    let fixture = try fixture()
    defer { fixture.close() }
    #expect(throws: Self.refusal) { try fixture.load("second", 2, try copy(8)) }
    #expect(try serving(fixture, "second") == [1])
    let status = try fixture.manager.service.statuses(of: "second")
    #expect(status.first { $0.version == 2 }?.cause?.code == "misfit")
    #expect(fixture.misfit("chain") == nil)
    // One that fits goes in.
    try fixture.load("second", 3, try copy(4))
    #expect(try serving(fixture, "second") == [3])
  }

  @Test("are not held back when the pipeline does not work, is gone, or somebody insists")
  func admitted() throws {
    let fixture = try fixture()
    defer { fixture.close() }
    var source = VersionSource(model: "second", version: 2, path: try copy(8))
    source.keepsComposites = false
    let outcome = Shared<Result<Void, LoadFailure>?>(nil)
    fixture.manager.load(source) { outcome.value = $0 }
    try outcome.wait().get()
    #expect(fixture.misfit("chain") != nil)
    // What breaks already is no reason.
    try fixture.load("second", 3, try copy(16))
    try fixture.load("first", 2, try copy(16))
    #expect(fixture.misfit("chain") == nil)
    fixture.pipelines.change([:])
    try fixture.load("second", 4, try copy(8))
    #expect(try serving(fixture, "second") == [4])
  }

  @Test("go in together when they fit each other, and neither does alone")
  func together() throws {
    let fixture = try fixture()
    defer { fixture.close() }
    let first = VersionSource(model: "first", version: 2, path: try copy(8))
    let second = VersionSource(model: "second", version: 2, path: try copy(8))
    let old = VersionSource(model: "first", version: 1, path: try copy(4))
    #expect(throws: PlanFailure(model: "second", version: 2, cause: Self.refusal)) {
      try apply(fixture, [old, second])
    }
    #expect(try serving(fixture, "second") == [1])
    try apply(fixture, [first, second])
    #expect(try serving(fixture, "first") == [2])
    #expect(fixture.misfit("chain") == nil)
  }

  @Test("are held back as canaries, and not as what nobody is answered by")
  func canaries() throws {
    let fixture = try fixture()
    defer { fixture.close() }
    fixture.manager.declare("second", canary: Canary(version: 2, share: 1))
    #expect(throws: Self.refusal) {
      try load(fixture, VersionSource(model: "second", version: 2, path: try copy(8)))
    }
    fixture.manager.declare("second", shadow: Shadow(version: 2, share: 1))
    try load(fixture, VersionSource(model: "second", version: 2, path: try copy(8)))
    #expect(try serving(fixture, "second").sorted() == [1, 2])
    #expect(fixture.misfit("chain") == nil)
  }

  private func load(_ fixture: PipelineFixture, _ source: VersionSource) throws {
    let outcome = Shared<Result<Void, LoadFailure>?>(nil)
    fixture.manager.load(source, keeping: [1]) { outcome.value = $0 }
    try outcome.wait().get()
  }
}
