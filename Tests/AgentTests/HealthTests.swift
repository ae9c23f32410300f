import Serving
import Testing

@testable import Agent

@Suite("Health")
struct HealthTests {
  private static func status(
    _ version: Int64, _ state: VersionState, cause: LoadFailure? = nil
  ) -> VersionStatus {
    VersionStatus(model: "m", version: version, state: state, cause: cause)
  }

  @Test("is ok when every model serves")
  func ok() {
    let judged = HealthJudgement.judge([("m", [Self.status(1, .serving)])], nil)
    #expect(judged.health == .ok)
    #expect(judged.problems.isEmpty)
  }

  @Test("is failing when a model has no version that serves")
  func failing() {
    let judged = HealthJudgement.judge(
      [("m", [Self.status(1, .refused, cause: .noGoldenVectors)]), ("n", [])], nil)
    #expect(judged.health == .failing)
    #expect(judged.problems.count == 3)
  }

  @Test("says where the first version is missing")
  func missing() {
    let local = HealthJudgement.judge([("m", [])], nil, local: ["m": .init(path: "/srv/m")])
    #expect(local.problems == ["m: no version serves; none was found at /srv/m."])
    let delivered = HealthJudgement.judge([("m", [])], nil)
    #expect(delivered.problems == ["m: no version serves; none was delivered yet."])
  }

  @Test("does not miss what was taken out of service by hand")
  func held() {
    let judged = HealthJudgement.judge(
      [("m", [Self.status(1, .retired)])], nil, local: ["m": .init(path: "/m", isHeld: true)])
    #expect(judged.health == .ok)
    #expect(judged.problems.isEmpty)
  }

  @Test("is degraded by a label of a version that does not serve")
  func label() {
    let judged = HealthJudgement.judge(
      [("m", [Self.status(1, .serving)])], nil,
      local: ["m": .init(path: "/m", labels: ["canary": 2, "stable": 1])])
    #expect(judged.health == .degraded)
    #expect(judged.problems == ["m: the label canary names version 2, which does not serve."])
  }

  @Test("is degraded by a refusal above the version that serves, and by none below")
  func degraded() {
    let refused = Self.status(2, .refused, cause: .noGoldenVectors)
    let above = HealthJudgement.judge([("m", [Self.status(1, .serving), refused])], nil)
    let below = HealthJudgement.judge([("m", [Self.status(3, .serving), refused])], nil)
    #expect(above.health == .degraded)
    #expect(above.problems.first?.contains("gate-mismatch") == true)
    #expect(below.health == .ok)
  }

  @Test("is degraded by a broker that is away and by a delivery that failed")
  func delivery() {
    let away = DeliveryStatus(
      broker: "b:1", connected: false, state: "idle", release: "", progressPercent: 0,
      cause: "broker-unreachable")
    let failed = DeliveryStatus(
      broker: "b:1", connected: true, state: "refused", release: "m@2", progressPercent: 40,
      cause: "block-hash")
    #expect(HealthJudgement.judge([], away).health == .degraded)
    #expect(
      HealthJudgement.judge([], failed).problems == ["Delivery: m@2 failed (block-hash)."])
  }

  @Test("reads the resident sizes that the kernel tells")
  func resident() {
    let memory = ResidentMemory(
      parsing: Array("Name:\tx\nVmRSS:\t  123 kB\nRssAnon:\t  45 kB\n".utf8))
    #expect(memory.bytes == 123 * 1024)
    #expect(memory.anonymousBytes == 45 * 1024)
    #expect(ResidentMemory.ofThisProcess().bytes > 0)
  }
}
