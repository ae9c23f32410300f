import Serving
import Tensors
import TestSupport
import Testing

@Suite("Instances", .serialized)
struct InstanceTests {
  private static func fixture(
    _ instances: Int, budget: Int? = nil, rows: Int = 1, threads: Int = 2
  ) -> ServingFixture {
    ServingFixture(budget: budget, threads: threads) { limits in
      limits.inlineThresholdMicroseconds = 0
      limits.instancesDefault = instances
      limits.batchRowsDefault = rows
      // Whether more rows pay is another test's.
      limits.batchGainMinimum = -100_000
    }
  }

  private static func status(_ fixture: ServingFixture) throws -> VersionStatus {
    try #require(try fixture.service.statuses(of: "digits").first { $0.state == .serving })
  }

  /// Keeps one instance busy until it is released.
  private static func begin(_ fixture: ServingFixture, _ image: [UInt8]) throws -> Gate {
    let gate = Gate()
    let lease = try fixture.lease()
    // The completion runs on the compute thread, before the instance takes the next request.
    fixture.service.infer(lease, ServingFixture.request(image, lease.description)) { _ in
      gate.hold()
    }
    return gate
  }

  @Test("run as many requests at the same time, and the next one waits")
  func sideBySide() throws {
    let fixture = Self.fixture(2)
    try fixture.load(1).get()
    #expect(try Self.status(fixture).instances == InstanceCount(wanted: 2))
    let image = try DigitsTestSplit().images[0]
    let gates = [try Self.begin(fixture, image), try Self.begin(fixture, image)]
    // Neither is released before both are under way.
    for gate in gates { gate.waitUntilHeld() }
    let third = try Self.begin(fixture, image)
    #expect(try Self.status(fixture).waiting == 1)
    gates[1].release()
    third.waitUntilHeld()
    gates[0].release()
    third.release()
  }

  @Test("are charged each, and refused where the budget does not hold them")
  func charged() throws {
    let one = Self.fixture(1)
    try one.load(1).get()
    let three = Self.fixture(3)
    try three.load(1).get()
    let (single, triple) = (try Self.status(one).memory, try Self.status(three).memory)
    #expect(triple.arenaBytes == 3 * single.arenaBytes)
    #expect(triple.scratchBytes == 3 * single.scratchBytes)
    #expect(triple.weightsBytes == single.weightsBytes)
    let extra = 2 * (single.arenaBytes + single.scratchBytes)
    #expect(three.manager.ledger.chargedBytes == one.manager.ledger.chargedBytes + extra)
    let needs = try ServingFixture.needs()
    let tight = Self.fixture(3, budget: needs + extra / 2)
    guard case .failure(.overBudget) = tight.load(1) else {
      Issue.record("three instances fit into the memory of less")
      return
    }
    try Self.fixture(3, budget: needs + extra).load(1).get()
  }

  @Test("answer to the byte as one does, with rows run together and alone", arguments: [1, 4])
  func answers(rows: Int) throws {
    let plain = ServingFixture(threads: 1)
    try plain.load(1).get()
    let fixture = Self.fixture(3, rows: rows, threads: 3)
    try fixture.load(1).get()
    let memory = try Self.status(fixture).memory
    #expect(memory.totalBytes == fixture.manager.ledger.chargedBytes)
    if rows > 1 { #expect(try Self.status(fixture).batching.curve.last?.size == rows) }
    let images = try DigitsTestSplit().images.prefix(60)
    let lease = try fixture.lease()
    let outcomes = images.map { image in
      let outcome = Outcome<Result<InferenceResponse, ServingError>>()
      fixture.service.infer(lease, ServingFixture.request(image, lease.description)) {
        outcome.set($0)
      }
      return outcome
    }
    for (image, outcome) in zip(images, outcomes) {
      #expect(try outcome.wait().get().outputs == plain.answer(image).outputs)
    }
  }

  @Test("lose no request while versions change")
  func swapped() throws {
    let fixture = Self.fixture(2)
    let image = try DigitsTestSplit().images[0]
    var expected: [Int64: [UInt8]] = [:]
    for version in Int64(1)...2 {
      try fixture.load(version).get()
      expected[version] = try fixture.answer(image).outputs[0].bytes
    }
    let replies = expected
    let requests = RepeatedRequests(fixture, image, threads: 3) {
      $0.outputs[0].bytes == replies[$0.version]
    }
    try withExtendedLifetime(fixture) {
      var swaps = 0
      while swaps < 20 || requests.answered < 500 {
        try fixture.load(Int64(swaps % 2) + 1).get()
        swaps += 1
      }
      #expect(requests.end())
    }
    #expect(requests.failed == 0)
  }

  @Test("of a model with a state are one, and status says why")
  func stateful() throws {
    let directory = TemporaryDirectory()
    var model = TFLiteWriter()
    // The sum of what comes and of a variable.
    model.codes = [(0, 1)]
    model.tensors = [
      .init([1, 4], name: "x"), .init([1, 4], name: "state"), .init([1, 4], name: "y"),
    ]
    model.tensors[1].isVariable = true
    model.operators = [
      .init(inputs: [0, 1], outputs: [2], optionsType: 11, options: [.int8(0)])
    ]
    model.inputs = [0]
    model.outputs = [2]
    DigitsBundle.write(model.bytes(), to: directory.path + "/state.tflite")
    let fixture = Self.fixture(4)
    try fixture.load(1, path: directory.path + "/state.tflite").get()
    let instances = try Self.status(fixture).instances
    #expect(instances == InstanceCount(wanted: 4, isStateful: true))
    #expect(instances.count == 1)
    #expect(instances.refusal?.contains("the model has a state") == true)
    #expect(InstanceCount(wanted: 4).refusal == nil)
    #expect(InstanceCount(wanted: 1, isStateful: true).refusal == nil)
  }
}
