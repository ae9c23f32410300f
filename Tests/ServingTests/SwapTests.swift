import ModelBundle
import Serving
import Tensors
import TestSupport
import Testing

@Suite("Swap", .serialized)
struct SwapTests {
  @Test("answers as the model does, and counts")
  func answers() throws {
    let fixture = ServingFixture()
    try fixture.load(2).get()
    let split = try DigitsTestSplit()
    let answers = try split.images.map { image in
      try fixture.answer(image).outputs[0].bytes.map { Int8(bitPattern: $0) }
    }
    #expect(split.accuracy(of: answers) > 0.9)
    let status = try #require(try fixture.service.statuses(of: "digits").first)
    #expect(status.requests == UInt64(split.images.count))
    #expect(status.errors == 0)
    #expect(status.latencyMicroseconds.p50 > 0)
    #expect(status.labels == ["stable"])
    #expect(status.memory.totalBytes == fixture.manager.ledger.chargedBytes)
  }

  @Test("loses no request while versions change, and each reply is of one version")
  func underLoad() throws {
    let fixture = ServingFixture()
    try fixture.load(1).get()
    let image = try DigitsTestSplit().images[0]
    var expected: [Int64: [UInt8]] = [:]
    for version in Int64(1)...3 {
      try fixture.load(version).get()
      expected[version] = try fixture.answer(image).outputs[0].bytes
    }
    let replies = expected
    let requests = RepeatedRequests(fixture, image, threads: 5) {
      $0.outputs[0].bytes == replies[$0.version]
    }
    try withExtendedLifetime(fixture) {
      var swaps = 0
      while swaps < 40 || requests.answered < 5000 {
        swaps += 1
        try fixture.load(Int64(swaps % 3 + 1)).get()
      }
      #expect(requests.end())
    }
    #expect(requests.failed == 0)
    #expect(Set(replies.values).count > 1)
  }

  @Test("charges the same after 200 swaps, and maps nothing of what left")
  func ledgerAfterSwaps() throws {
    let directory = TemporaryDirectory()
    let paths = try (1...2).map { try DigitsBundle.write($0, into: directory) }
    let fixture = ServingFixture()
    try fixture.load(1, path: paths[0]).get()
    let charged = fixture.manager.ledger.chargedBytes
    for swap in 1...200 { try fixture.load(Int64(swap % 2 + 1), path: paths[swap % 2]).get() }
    #expect(fixture.manager.ledger.chargedBytes == charged)
    fixture.manager.unload(model: "digits", version: 1)
    #expect(fixture.manager.ledger.chargedBytes == 0)
    let maps = String(decoding: try readFile("/proc/self/maps"), as: UTF8.self)
    #expect(!maps.contains(directory.path))
  }

  @Test("keeps a version in memory until its last lease goes, then gives everything back")
  func lastLease() throws {
    let fixture = ServingFixture()
    try fixture.load(1).get()
    let alone = fixture.manager.ledger.chargedBytes
    var lease: VersionLease? = try fixture.lease()
    try fixture.load(2).get()
    #expect(fixture.manager.ledger.chargedBytes > alone)
    #expect(try fixture.states() == [1: .draining, 2: .serving])
    let image = try DigitsTestSplit().images[0]
    let held = try #require(lease)
    let response = try fixture.infer(held, ServingFixture.request(image, held.description))
    #expect(response.version == 1)
    withExtendedLifetime(lease) {}
    _ = consume held
    lease = nil
    #expect(eventually { (try? fixture.states()) == [1: .retired, 2: .serving] })
    let retired = try fixture.service.statuses(of: "digits").last
    #expect(retired?.requests == 1)
  }

  @Test("moves the label stable at the swap")
  func labels() throws {
    let fixture = ServingFixture()
    try fixture.load(1).get()
    #expect(try fixture.lease(.label("stable")).description.version == 1)
    try fixture.load(2).get()
    #expect(try fixture.lease(.label("stable")).description.version == 2)
    try fixture.manager.setLabel("canary", of: "digits", to: 2)
    #expect(try fixture.lease(.label("canary")).description.version == 2)
    #expect(throws: ServingError.versionNotFound(model: "digits", version: 1)) {
      try fixture.manager.setLabel("canary", of: "digits", to: 1)
    }
  }

  @Test("tells what is not there")
  func notThere() throws {
    let fixture = ServingFixture()
    fixture.manager.declare("digits")
    #expect(!fixture.service.isReady())
    #expect(throws: ServingError.notReady(model: "digits")) { _ = try fixture.lease() }
    #expect(throws: ServingError.modelNotFound(model: "x")) { _ = try fixture.lease(model: "x") }
    try fixture.load(1).get()
    #expect(fixture.service.isReady())
    #expect(throws: ServingError.versionNotFound(model: "digits", version: 9)) {
      _ = try fixture.lease(.version(9))
    }
    #expect(throws: ServingError.labelNotFound(model: "digits", label: "x")) {
      _ = try fixture.lease(.label("x"))
    }
  }

  @Test("runs a batch row by row, each as if alone")
  func batch() throws {
    let fixture = ServingFixture()
    try fixture.load(2).get()
    let images = Array(try DigitsTestSplit().images.prefix(5))
    let lease = try fixture.lease()
    let input = lease.description.inputs[0]
    let shape = Shape([5 * input.type.shape[0]] + input.type.shape.extents.dropFirst())
    let response = try fixture.infer(
      lease,
      InferenceRequest(inputs: [
        NamedTensor(
          name: input.name, dataType: input.type.dataType, shape: shape,
          bytes: images.flatMap { $0 })
      ]))
    let alone = try images.flatMap { try fixture.answer($0).outputs[0].bytes }
    #expect(response.outputs[0].bytes == alone)
    #expect(response.outputs[0].shape[0] == 5)
  }

  @Test("refuses new leases after a shutdown, and gives everything back")
  func shutdown() throws {
    let fixture = ServingFixture()
    try fixture.load(1).get()
    #expect(fixture.manager.shutdown(drainMilliseconds: 5000))
    #expect(throws: ServingError.shuttingDown) { _ = try fixture.lease() }
    #expect(fixture.load(2) == .failure(.shuttingDown))
    #expect(fixture.manager.ledger.chargedBytes == 0)
  }
}

extension Result where Success == Void, Failure == LoadFailure {
  static func == (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.success, .success): true
    case (.failure(let a), .failure(let b)): a == b
    default: false
    }
  }
}
