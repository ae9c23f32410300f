import Glibc
import ModelBundle
import Serving
import TestSupport
import Testing

@Suite("Refused versions", .serialized)
struct RefusalTests {
  @Test("proves a bundle on its golden vectors")
  func proven() throws {
    let directory = TemporaryDirectory()
    let fixture = ServingFixture()
    let path = try DigitsBundle.write(2, into: directory)
    try fixture.load(2, path: path, requiresProof: true).get()
    #expect(try fixture.lease().description.labels == (0...9).map(String.init))
  }

  @Test("refuses a golden mismatch, and the version before keeps serving")
  func goldenMismatch() throws {
    let directory = TemporaryDirectory()
    let fixture = ServingFixture()
    try fixture.load(1).get()
    let charged = fixture.manager.ledger.chargedBytes
    let outcome = fixture.load(
      2, path: try DigitsBundle.write(2, into: directory, spoiled: true), requiresProof: true)
    guard case .failure(.goldenMismatch(vector: 0, output: 0, let difference, 1)) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(difference >= 63)
    #expect(try fixture.states() == [1: .serving, 2: .refused])
    #expect(try fixture.lease().description.version == 1)
    #expect(fixture.manager.ledger.chargedBytes == charged)
    let refused = try #require(try fixture.service.statuses(of: "digits").first)
    #expect(refused.cause?.code == "gate-mismatch")
  }

  @Test("refuses a version that must be proven and cannot be")
  func noVectors() {
    #expect(ServingFixture().load(1, requiresProof: true) == .failure(.noGoldenVectors))
  }

  @Test("refuses a version slower than its gate")
  func latencyGate() {
    let outcome = ServingFixture().load(1, latencyLimit: 0)
    guard case .failure(.latencyGate(_, limitMicroseconds: 0)) = outcome else {
      Issue.record("\(outcome)")
      return
    }
  }

  @Test("refuses what the budget does not hold, with the numbers, before allocating")
  func overBudget() throws {
    let needs = try ServingFixture.needs(2)
    let fixture = ServingFixture(budget: needs - 1)
    #expect(
      fixture.load(2)
        == .failure(.overBudget(needed: needs, available: needs - 1, budget: needs - 1)))
    #expect(fixture.manager.ledger.snapshot().peakBytes == 0)
  }

  @Test("refuses files that are missing, empty, truncated or something else")
  func invalidFiles() throws {
    let directory = TemporaryDirectory()
    let fixture = ServingFixture()
    #expect(
      fixture.load(1, path: "/nonexistent")
        == .failure(.unreadable(path: "/nonexistent", errno: ENOENT)))
    directory.write("empty", "")
    directory.write("text", "this is not a model, nor is it a bundle of anything at all")
    let whole = try readFile(Fixtures.digitsModel(1))
    DigitsBundle.write(Array(whole.prefix(whole.count / 2)), to: directory.path + "/half")
    let bundle = try readFile(try DigitsBundle.write(1, into: directory))
    var flipped = bundle
    flipped[bundle.count - 100] ^= 1
    DigitsBundle.write(flipped, to: directory.path + "/flipped")
    for name in ["empty", "text", "half", "flipped"] {
      let outcome = fixture.load(1, path: directory.path + "/" + name)
      guard case .failure(let cause) = outcome, cause.code == "model-invalid" else {
        Issue.record("\(name): \(outcome)")
        continue
      }
    }
    #expect(fixture.manager.ledger.chargedBytes == 0)
  }

  @Test("does not let one bad model keep another from serving")
  func isolation() throws {
    let fixture = ServingFixture()
    fixture.load(1, path: "/nonexistent", model: "bad")
    try fixture.load(1).get()
    #expect(try fixture.lease().description.version == 1)
    #expect(try fixture.states("bad") == [1: .refused])
  }

  @Test("keeps a bounded history")
  func history() throws {
    let fixture = ServingFixture { $0.historyMaximum = 3 }
    for version in Int64(1)...9 { fixture.load(version, path: "/nonexistent") }
    #expect(try fixture.service.statuses(of: "digits").map(\.version) == [9, 8, 7])
  }
}
