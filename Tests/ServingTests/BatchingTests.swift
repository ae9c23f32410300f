import ByteParsing
import Glibc
import ModelGraph
import Serving
import Synchronization
import TFLiteImport
import Tensors
import TestSupport
import Testing

@Suite("Batching", .serialized)
struct BatchingTests {
  /// A fixture whose versions run up to `rows` rows together, whatever is gained by it.
  private static func fixture(
    rows: Int, budget: Int? = nil, adjust: (inout ServingLimits) -> Void = { _ in }
  ) -> ServingFixture {
    ServingFixture(budget: budget, threads: 1) { limits in
      limits.inlineThresholdMicroseconds = 0
      limits.batchRowsDefault = rows
      // More rows may even take longer: whether they pay is another test's.
      limits.batchGainMinimum = -100_000
      adjust(&limits)
    }
  }

  private static func status(_ fixture: ServingFixture) throws -> VersionStatus {
    try #require(try fixture.service.statuses(of: "digits").first { $0.state == .serving })
  }

  /// Keeps the one instance busy until it is released.
  private static func busy(
    _ fixture: ServingFixture, _ lease: VersionLease, _ image: [UInt8]
  ) -> Gate {
    let gate = Gate()
    fixture.service.infer(lease, ServingFixture.request(image, lease.description)) { _ in
      gate.hold()
    }
    gate.waitUntilHeld()
    return gate
  }

  @Test("runs what waits together, answers each to the byte as alone, and never waits when idle")
  func together() throws {
    let plain = ServingFixture(threads: 1)
    try plain.load(1).get()
    let fixture = Self.fixture(rows: 8)
    try fixture.load(1).get()
    let batching = try Self.status(fixture).batching
    #expect(batching.curve.map(\.size) == [1, 2, 4, 8])
    #expect(batching.refusal == nil)
    let images = try DigitsTestSplit().images.prefix(14)
    // Nothing waits: the request is run by itself.
    _ = try fixture.answer(images[0])
    #expect(try Self.status(fixture).runs[1]?.count == 1)
    let lease = try fixture.lease()
    let gate = Self.busy(fixture, lease, images[0])
    let outcomes = images.dropFirst().map { image in
      let outcome = Outcome<Result<InferenceResponse, ServingError>>()
      fixture.service.infer(lease, ServingFixture.request(image, lease.description)) {
        outcome.set($0)
      }
      return outcome
    }
    gate.release()
    for (image, outcome) in zip(images.dropFirst(), outcomes) {
      #expect(try outcome.wait().get().outputs == plain.answer(image).outputs)
    }
    // Thirteen rows: eight, four, and one.
    let runs = try Self.status(fixture).runs.mapValues(\.count)
    #expect(runs == [1: 3, 4: 1, 8: 1])
    #expect(try Self.status(fixture).rows == 15)
  }

  @Test("cuts the rows of one request into runs")
  func rowsOfOne() throws {
    let fixture = Self.fixture(rows: 4)
    try fixture.load(1).get()
    let lease = try fixture.lease()
    let input = lease.description.inputs[0]
    let images = try DigitsTestSplit().images.prefix(7)
    let request = InferenceRequest(inputs: [
      NamedTensor(
        name: input.name, dataType: input.type.dataType,
        shape: Shape([7] + input.type.shape.extents.dropFirst()), bytes: images.flatMap(\.self))
    ])
    let together = try fixture.infer(lease, request)
    let alone = try images.map { try fixture.answer($0).outputs[0].bytes }
    #expect(together.outputs[0].bytes == alone.flatMap(\.self))
    #expect(try Self.status(fixture).runs.mapValues(\.count) == [1: 8, 2: 1, 4: 1])
  }

  @Test("keeps deadlines, cancellation and priorities")
  func terms() throws {
    let fixture = Self.fixture(rows: 8)
    try fixture.load(1).get()
    let lease = try fixture.lease()
    let image = try DigitsTestSplit().images[0]
    let gate = Self.busy(fixture, lease, image)
    let order = Ends()
    func ask(_ name: String, _ adjust: (inout RequestTerms) -> Void) {
      var request = ServingFixture.request(image, lease.description)
      adjust(&request.terms)
      fixture.service.infer(lease, request) { result in
        let end: String =
          switch result {
          case .success: "ok"
          case .failure(let error): RequestOutcome(error).rawValue
          }
        order.append("\(name) \(end)")
      }
    }
    ask("normal") { _ in }
    ask("late") { $0.deadline = 1 }
    ask("gone") { $0.whenAbandoned = { $0() } }
    ask("urgent") { $0.priority = .high }
    ask("second") { _ in }
    gate.release()
    #expect(eventually { order.names.count == 5 })
    let names = order.names
    #expect(names.contains("late deadline") && names.contains("gone cancelled"))
    #expect(names.filter { $0.hasSuffix("ok") } == ["urgent ok", "normal ok", "second ok"])
    // The urgent request did not wait for the others to be run with it.
    #expect(try Self.status(fixture).runs.mapValues(\.count) == [1: 2, 2: 1])
  }

  @Test("charges what the programs take, and gives it back")
  func memory() throws {
    let plain = ServingFixture(threads: 1)
    try plain.load(1).get()
    let fixture = Self.fixture(rows: 8)
    try fixture.load(1).get()
    let (one, many) = (try Self.status(plain).memory, try Self.status(fixture).memory)
    #expect(many.arenaBytes > one.arenaBytes)
    let charges = fixture.manager.ledger.snapshot().charges.filter { $0.name.contains("digits") }
    #expect(charges.flatMap(\.items).reduce(0) { $0 + $1.bytes } == many.totalBytes)
    fixture.manager.unload(model: "digits", version: 1)
    #expect(
      eventually {
        !fixture.manager.ledger.snapshot().charges.contains { $0.name.contains("digits") }
      })
  }

  @Test("runs requests one by one when the budget does not hold more")
  func budget() throws {
    let fixture = Self.fixture(rows: 8, budget: try ServingFixture.needs() + 64)
    try fixture.load(1).get()
    let status = try Self.status(fixture)
    #expect(status.batching.curve.isEmpty)
    #expect(status.batching.refusal?.code == "over-budget")
    let plain = ServingFixture(threads: 1)
    try plain.load(1).get()
    #expect(try status.memory == Self.status(plain).memory)
  }

  @Test("runs requests one by one where that is as fast, or nobody asked")
  func noGain() throws {
    let fixture = Self.fixture(rows: 8) { $0.batchGainMinimum = 999 }
    try fixture.load(1).get()
    let status = try Self.status(fixture)
    #expect(status.batching.refusal == .noGain(size: 2))
    #expect(status.batching.curve.isEmpty)
    let plain = ServingFixture()
    try plain.load(1).get()
    #expect(try Self.status(plain).batching == BatchingStatus(refusal: .off))
  }

  @Test("names what keeps a model from more rows")
  func refusals() throws {
    var fixed = TFLiteWriter()
    fixed.codes = [(22, 1)]
    fixed.tensors = [
      .init([1, 4], name: "x"), .init([2], type: 2, buffer: 1, name: "shape"),
      .init([1, 4], name: "y"),
    ]
    fixed.operators = [.init(inputs: [0, 1], outputs: [2])]
    fixed.inputs = [0]
    fixed.outputs = [2]
    fixed.buffers = [[1, 0, 0, 0, 4, 0, 0, 0]]
    #expect(throws: BatchRefusal.fixedRows) { _ = try Self.graph(fixed).batched(rows: 2) }
    let rows = try Self.graph(.convolution).batched(rows: 3)
    #expect(rows.inputSpecifications[0].type.shape == [3, 4, 4, 2])
    #expect(rows.outputSpecifications[0].type.shape == [3, 4, 4, 3])
  }

  @Test("sees that rows bear on each other, and runs each alone")
  func rowsDiffer() throws {
    // Sums that go on from one row to the next.
    var sums = TFLiteWriter()
    sums.codes = [(128, 1)]
    sums.tensors = [
      .init([1, 4], name: "x"), .init([], type: 2, buffer: 1, name: "axis"),
      .init([1, 4], name: "y"),
    ]
    sums.operators = [
      .init(inputs: [0, 1], outputs: [2], optionsType: 102, options: [.int8(0), .int8(0)])
    ]
    sums.inputs = [0]
    sums.outputs = [2]
    sums.buffers = [[0, 0, 0, 0]]
    let directory = TemporaryDirectory()
    DigitsBundle.write(sums.bytes(), to: "\(directory.path)/sums.tflite")
    let fixture = Self.fixture(rows: 8)
    try fixture.load(1, path: "\(directory.path)/sums.tflite").get()
    #expect(try Self.status(fixture).batching.refusal == .rowsDiffer(size: 2))
  }

  private static func graph(_ model: TFLiteWriter) throws -> Graph {
    try TFLiteModel.graph(from: ByteView(model.bytes()))
  }
}

/// How requests ended, in the order that they did.
private final class Ends: Sendable {
  private let state = Mutex<[String]>([])

  var names: [String] { state.withLock { $0 } }
  func append(_ name: String) { state.withLock { $0.append(name) } }
}
