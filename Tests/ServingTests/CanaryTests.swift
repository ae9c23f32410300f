import Serving
import Tensors
import TestSupport
import Testing

@Suite("Canary", .serialized)
struct CanaryTests {
  private static func terms(_ key: String) throws -> RequestTerms {
    var terms = RequestTerms()
    try terms.take("X-Request-Key", key)
    return terms
  }

  /// The version that a request with `key` gets, and the lease.
  private static func lease(
    _ fixture: ServingFixture, _ key: String, _ selector: VersionSelector = .latest
  ) throws -> VersionLease {
    let outcome = Outcome<Result<VersionLease, ServingError>>()
    fixture.service.lease("digits", selector, try terms(key)) { outcome.set($0) }
    return try outcome.wait().get()
  }

  private static func version(_ fixture: ServingFixture, _ key: String) throws -> Int64 {
    try lease(fixture, key).description.version
  }

  /// Versions 1 and 2 of the digits classifier, or of other files, side by side.
  private static func fixture(_ paths: [String?] = [nil, nil]) throws -> ServingFixture {
    let fixture = ServingFixture()
    fixture.manager.declare("digits", policy: .latest(2))
    for version in Int64(1)...2 {
      let outcome = Outcome<Result<Void, LoadFailure>>()
      let path = paths[Int(version) - 1] ?? Fixtures.digitsModel(Int(version))
      fixture.manager.load(
        VersionSource(model: "digits", version: version, path: path), keeping: [1]
      ) { outcome.set($0) }
      try outcome.wait().get()
    }
    return fixture
  }

  @Test("a key falls to one version for good, and a larger share takes nobody away")
  func sticky() throws {
    let fixture = try Self.fixture()
    let keys = (0..<2000).map { "device-\($0)" }
    try fixture.manager.setCanary(Canary(version: 2, share: 500), of: "digits")
    let first = try keys.map { try Self.version(fixture, $0) }
    #expect(try keys.map { try Self.version(fixture, $0) } == first)
    let tried = first.filter { $0 == 2 }.count
    #expect((60...140).contains(tried))
    try fixture.manager.setCanary(Canary(version: 2, share: 3000), of: "digits")
    let second = try keys.map { try Self.version(fixture, $0) }
    #expect(zip(first, second).allSatisfy { $0 != 2 || $1 == 2 })
    #expect((500...700).contains(second.filter { $0 == 2 }.count))
    // Who names a version gets it.
    #expect(try Self.lease(fixture, keys[0], .version(1)).description.version == 1)
    #expect(try Self.lease(fixture, keys[0], .version(2)).description.version == 2)
    fixture.manager.endCanary(of: "digits")
    #expect(try Self.version(fixture, keys[0]) == 2)
  }

  @Test("connections are shared out like keys")
  func connections() throws {
    let fixture = try Self.fixture()
    try fixture.manager.setCanary(Canary(version: 2, share: 2000), of: "digits")
    var tried = 0
    for connection in UInt64(1)...1000 {
      let outcome = Outcome<Result<VersionLease, ServingError>>()
      fixture.service.lease("digits", .latest, RequestTerms(connection: connection)) {
        outcome.set($0)
      }
      if try outcome.wait().get().description.version == 2 { tried += 1 }
    }
    #expect((140...260).contains(tried))
  }

  @Test("a version that errs is taken back by itself, and the clients of the other never moved")
  func errs() throws {
    let fixture = try Self.fixture([nil, Fixtures.halfPlusTwoModel])
    var canary = Canary(version: 2, share: 2000)
    canary.rules.requestsMinimum = 20
    try fixture.manager.setCanary(canary, of: "digits")
    let image = try DigitsTestSplit().images[0]
    let keys = (0..<1000).map { "device-\($0)" }
    let before = try keys.map { try Self.version(fixture, $0) }
    let plain = try Self.lease(fixture, "", .version(1)).description
    var failed = 0
    var moved = 0
    for (key, version) in zip(keys, before) {
      let lease = try Self.lease(fixture, key)
      if version == 1, lease.description.version != 1 { moved += 1 }
      do {
        _ = try fixture.infer(lease, ServingFixture.request(image, plain))
      } catch {
        failed += 1
      }
    }
    #expect(moved == 0)
    #expect(failed == 20)
    #expect(try keys.allSatisfy { try Self.version(fixture, $0) == 1 })
    let status = try #require(fixture.service.canary(of: "digits"))
    #expect(status.reverted == .errorRate(canary: 1, stable: 0))
    let reverted = fixture.events.all.filter {
      if case .canaryReverted(model: "digits", version: 2, _) = $0 { true } else { false }
    }
    #expect(reverted.count == 1)
    // Declared as it was, it stays where it is; anew, it is tried anew.
    fixture.manager.declare("digits", policy: .latest(2))
    #expect(fixture.service.canary(of: "digits")?.reverted != nil)
    try fixture.manager.setCanary(canary, of: "digits")
    #expect(fixture.service.canary(of: "digits")?.reverted == nil)
  }

  /// `count` hyperbolic tangents of 4,096 numbers after one another.
  private static func tangents(_ count: Int) -> [UInt8] {
    var model = TFLiteWriter()
    model.codes = [(28, 1)]
    model.tensors = (0...count).map { TFLiteWriter.Tensor([1, 4096], name: "t\($0)") }
    model.operators = (0..<count).map {
      TFLiteWriter.Operator(inputs: [Int32($0)], outputs: [Int32($0) + 1])
    }
    model.inputs = [0]
    model.outputs = [Int32(count)]
    return model.bytes()
  }

  @Test("a version that is slower is taken back by itself, with the percentiles as its reason")
  func slower() throws {
    let directory = TemporaryDirectory()
    let paths = [1, 1000].map { count in
      let path = directory.path + "/\(count).tflite"
      DigitsBundle.write(Self.tangents(count), to: path)
      return path
    }
    let fixture = try Self.fixture(paths)
    var canary = Canary(version: 2, share: 5000)
    canary.rules.requestsMinimum = 30
    canary.rules.latencyRatioMaximum = 3
    try fixture.manager.setCanary(canary, of: "digits")
    let description = try Self.lease(fixture, "", .version(1)).description
    let input = NamedTensor(
      name: description.inputs[0].name, dataType: .float32, shape: Shape([1, 4096]),
      bytes: [UInt8](repeating: 0, count: 4 * 4096))
    var request = InferenceRequest(inputs: [input])
    var answered = 0
    while fixture.service.canary(of: "digits")?.reverted == nil, answered < 2000 {
      let lease = try Self.lease(fixture, "device-\(answered)")
      request.inputs[0].name = lease.description.inputs[0].name
      _ = try fixture.infer(lease, request)
      answered += 1
    }
    guard case .latency(let tried, let stable)? = fixture.service.canary(of: "digits")?.reverted
    else {
      Issue.record("the slow version was kept for \(answered) requests")
      return
    }
    #expect(tried > 3 * stable)
  }

  @Test("a canary that proves itself becomes the stable version")
  func promotes() throws {
    let fixture = try Self.fixture()
    #expect(fixture.manager.promoteCanary(of: "digits") == nil)
    fixture.manager.declare(
      "digits", policy: .latest(2), canary: Canary(version: 2, share: 0))
    #expect(try Self.version(fixture, "x") == 1)
    #expect(fixture.manager.promoteCanary(of: "digits") == 2)
    #expect(try Self.version(fixture, "x") == 2)
    #expect(try fixture.lease(.label("stable")).description.version == 2)
    #expect(throws: ServingError.versionNotFound(model: "digits", version: 9)) {
      try fixture.manager.setCanary(Canary(version: 9, share: 1), of: "digits")
    }
    #expect(throws: ServingError.modelNotFound(model: "none")) {
      try fixture.manager.setCanary(Canary(version: 9, share: 1), of: "none")
    }
    #expect(fixture.service.modelNames() == ["digits"])
  }

  @Test("a new version that is declared as a canary does not become stable when it comes")
  func declared() throws {
    let fixture = ServingFixture()
    fixture.manager.declare(
      "digits", policy: .latest(2), canary: Canary(version: 2, share: 0))
    try fixture.load(1).get()
    let outcome = Outcome<Result<Void, LoadFailure>>()
    fixture.manager.load(
      VersionSource(model: "digits", version: 2, path: Fixtures.digitsModel(2)), keeping: [1]
    ) { outcome.set($0) }
    try outcome.wait().get()
    #expect(try fixture.lease(.label("stable")).description.version == 1)
    #expect(try fixture.lease().description.version == 1)
    // What is tried answers when nothing else is left.
    fixture.manager.unload(model: "digits", version: 1)
    #expect(try fixture.lease().description.version == 2)
  }
}
