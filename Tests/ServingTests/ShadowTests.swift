import Glibc
import Serving
import Synchronization
import TestSupport
import Testing

@Suite("Shadow", .serialized)
struct ShadowTests {
  /// Versions 1 and 2 of the digits classifier, or of another file, side by side; the second a shadow.
  private static func fixture(
    _ second: String? = nil, share: Int = Shadow.shareWhole, tolerance: Double = 0
  ) throws -> ServingFixture {
    let fixture = ServingFixture(threads: 1) { $0.inlineThresholdMicroseconds = 0 }
    fixture.manager.declare("digits", policy: .latest(2))
    for (version, path) in [(Int64(1), nil), (2, second)] {
      let outcome = Outcome<Result<Void, LoadFailure>>()
      fixture.manager.load(
        VersionSource(
          model: "digits", version: version, path: path ?? Fixtures.digitsModel(Int(version))),
        keeping: [1]
      ) { outcome.set($0) }
      try outcome.wait().get()
    }
    try fixture.manager.setShadow(
      Shadow(version: 2, share: share, tolerance: tolerance), of: "digits")
    return fixture
  }

  private static func status(_ fixture: ServingFixture) throws -> ShadowStatus {
    try #require(fixture.service.shadow(of: "digits"))
  }

  private static func seen(_ fixture: ServingFixture) throws -> UInt64 {
    let status = try status(fixture)
    return status.agreed + status.differed + status.failed + status.shed
  }

  private static func digit(
    _ fixture: ServingFixture, _ image: [UInt8], _ version: Int64
  ) throws -> Int? {
    greatest(try fixture.answer(image, .version(version)).outputs[0].bytes)
  }

  private static func greatest(_ bytes: [UInt8]) -> Int? {
    bytes.indices.max { Int8(bitPattern: bytes[$0]) < Int8(bitPattern: bytes[$1]) }
  }

  @Test("clients get the other version's answers, and how the shadow's compare is counted")
  func compares() throws {
    let fixture = try Self.fixture()
    let all = try DigitsTestSplit().images
    // Some, and one of those that the versions take for different digits.
    let telling = try #require(
      try all.first { image in
        try Self.digit(fixture, image, 1) != Self.digit(fixture, image, 2)
      })
    let images = all.prefix(30) + [telling]
    let asked = try #require(try fixture.service.statuses(of: "digits").first?.requests)
    var (agreed, changed) = (UInt64(0), UInt64(0))
    for (index, image) in images.enumerated() {
      let answer = try fixture.answer(image)
      #expect(answer.version == 1)
      #expect(eventually { (try? Self.seen(fixture)) == UInt64(index + 1) })
      let own = try fixture.answer(image, .version(1)).outputs[0].bytes
      let other = try fixture.answer(image, .version(2)).outputs[0].bytes
      #expect(answer.outputs[0].bytes == own)
      if own == other { agreed += 1 }
      if Self.greatest(own) != Self.greatest(other) { changed += 1 }
    }
    let status = try Self.status(fixture)
    #expect(status.agreed == agreed && status.agreed + status.differed == 31)
    #expect(status.changedClass == changed)
    #expect(changed > 0 && status.largestDifference > 0)
    // Its own counters tell of its clients alone.
    let second = try #require(
      try fixture.service.statuses(of: "digits").first { $0.version == 2 })
    #expect(second.requests == asked + 31)
    #expect(
      try fixture.service.statuses(of: "digits").first { $0.version == 1 }?.labels == ["stable"])
  }

  @Test("a tolerance takes small differences for none, and a share leaves requests out")
  func toleranceAndShare() throws {
    let fixture = try Self.fixture(share: 2500, tolerance: 1000)
    for image in try DigitsTestSplit().images.prefix(40) {
      _ = try fixture.answer(image)
    }
    #expect(eventually { (try? Self.seen(fixture)) == 10 })
    #expect(try Self.status(fixture).differed == 0)
  }

  @Test("is not run while anything else waits")
  func shed() throws {
    let fixture = try Self.fixture()
    let lease = try fixture.lease()
    let request = try ServingFixture.request(
      DigitsTestSplit().images[0], lease.description)
    let held = Gate()
    fixture.service.infer(lease, request) { _ in held.hold() }
    held.waitUntilHeld()
    // These wait for the one thread, and so does nothing of the shadow's.
    let outcomes = (0..<5).map { _ in
      let outcome = Outcome<Result<InferenceResponse, ServingError>>()
      fixture.service.infer(lease, request) { outcome.set($0) }
      return outcome
    }
    let explicit = try fixture.lease(.version(2))
    let other = Outcome<Result<InferenceResponse, ServingError>>()
    fixture.service.infer(explicit, request) { other.set($0) }
    held.release()
    for outcome in outcomes { #expect(try outcome.wait().get().version == 1) }
    #expect(try other.wait().get().version == 2)
    #expect(eventually { (try? Self.seen(fixture)) == 6 })
    #expect(try Self.status(fixture).shed > 0)
  }

  @Test("counts what a shadow with other inputs cannot answer, and ends")
  func fails() throws {
    let fixture = try Self.fixture(Fixtures.halfPlusTwoModel)
    let image = try DigitsTestSplit().images[0]
    #expect(try fixture.answer(image).version == 1)
    #expect(eventually { (try? Self.status(fixture).failed) == 1 })
    try fixture.manager.setShadow(nil, of: "digits")
    #expect(fixture.service.shadow(of: "digits") == nil)
    #expect(try fixture.lease().description.version == 2)
    #expect(throws: ServingError.versionNotFound(model: "digits", version: 9)) {
      try fixture.manager.setShadow(Shadow(version: 9, share: 1), of: "digits")
    }
  }
}
