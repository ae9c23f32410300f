import Glibc
import ModelBundle
import Serving
import Synchronization
import TestSupport
import Testing

@Suite("Plans that drain first", .serialized)
struct PlanDrainTests {
  private static func source(_ model: String, _ version: Int64, _ path: String) -> ModelPlan {
    ModelPlan(
      model: model, policy: .latest(1),
      versions: [VersionSource(model: model, version: version, path: path)])
  }

  private static func apply(_ fixture: ServingFixture, _ plans: [ModelPlan]) -> PlanFailure? {
    let outcome = Outcome<PlanFailure?>()
    fixture.manager.apply(plans) { result in
      if case .failure(let failure) = result { outcome.set(failure) } else { outcome.set(nil) }
    }
    return outcome.wait()
  }

  /// Two models, digits 1 and more 1, and a budget that holds one version of each and no third.
  private func fixture() throws -> ServingFixture {
    let needs = try max(ServingFixture.needs(1), ServingFixture.needs(2))
    let fixture = ServingFixture(budget: 2 * needs + 100)
    try fixture.load(1).get()
    #expect(Self.apply(fixture, [Self.source("more", 1, Fixtures.digitsModel(1))]) == nil)
    return fixture
  }

  @Test("change all models at once where the budget holds no two versions, and lose no request")
  func changes() throws {
    let fixture = try fixture()
    let image = try DigitsTestSplit().images[0]
    let requests = RepeatedRequests(fixture, image, threads: 2)
    for swap in 1...10 {
      let (version, file) = (Int64(swap % 2 + 1), Fixtures.digitsModel(swap % 2 + 1))
      #expect(
        Self.apply(
          fixture, [Self.source("digits", version, file), Self.source("more", version, file)]) == nil)
      #expect(try fixture.lease().description.version == version)
    }
    #expect(eventually { requests.answered > 200 })
    #expect(requests.end())
    #expect(requests.failed == 0)
    #expect(fixture.manager.ledger.snapshot().peakBytes <= fixture.manager.ledger.budget)
    #expect(fixture.events.all.contains(.drainFirst(model: "digits", version: 2, leaving: 1)))
    #expect(fixture.events.all.contains(.drainFirst(model: "more", version: 2, leaving: 1)))
  }

  @Test("bring all back when one version fails, and answer who waited with the old")
  func comesBack() throws {
    let directory = TemporaryDirectory()
    let spoiled = try DigitsBundle.write(2, into: directory, spoiled: true)
    let fixture = try fixture()
    try fixture.manager.setLabel("tried", of: "more", to: 1)
    let charged = fixture.manager.ledger.chargedBytes
    let held = Mutex<VersionLease?>(try fixture.lease())
    let outcome = Outcome<PlanFailure?>()
    fixture.manager.apply([
      Self.source("digits", 2, Fixtures.digitsModel(2)), Self.source("more", 2, spoiled),
    ]) { result in
      if case .failure(let failure) = result { outcome.set(failure) } else { outcome.set(nil) }
    }
    #expect(
      eventually {
        fixture.events.all.contains(.drainFirst(model: "more", version: 2, leaving: 1))
      })
    let parked = ["digits", "more"].map { model in
      let outcome = Outcome<Result<VersionLease, ServingError>>()
      fixture.service.lease(model, .latest) { outcome.set($0) }
      return outcome
    }
    #expect(parked.allSatisfy { $0.current == nil })
    held.withLock { $0 = nil }
    let failure = outcome.wait()
    #expect(failure?.model == "more" && failure?.cause.code == "gate-mismatch")
    #expect(try parked.map { try $0.wait().get().description.version } == [1, 1])
    #expect(try fixture.states() == [1: .serving])
    #expect(try fixture.states("more") == [1: .serving, 2: .refused])
    #expect(eventually { fixture.manager.ledger.chargedBytes == charged })
    for model in ["digits", "more"] {
      #expect(fixture.events.all.contains(.restored(model: model, version: 1)))
    }
    let tried = Outcome<Result<VersionLease, ServingError>>()
    fixture.service.lease("more", .label("tried")) { tried.set($0) }
    #expect(try tried.wait().get().description.version == 1)
  }

  @Test("make nobody wait for a model that stays as it is")
  func unchanged() throws {
    let fixture = try fixture()
    let stays = Self.source("more", 1, Fixtures.digitsModel(1))
    let held = Mutex<VersionLease?>(try fixture.lease())
    let outcome = Outcome<PlanFailure?>()
    fixture.manager.apply([stays, Self.source("digits", 2, Fixtures.digitsModel(2))]) { result in
      if case .failure(let failure) = result { outcome.set(failure) } else { outcome.set(nil) }
    }
    #expect(
      eventually {
        fixture.events.all.contains(.drainFirst(model: "digits", version: 2, leaving: 1))
      })
    let leased = Outcome<Result<VersionLease, ServingError>>()
    fixture.service.lease("more", .latest) { leased.set($0) }
    #expect(try leased.current?.get().description.version == 1)
    #expect(outcome.current == nil)
    held.withLock { $0 = nil }
    #expect(outcome.wait() == nil)
    #expect(try fixture.lease().description.version == 2)
    #expect(try fixture.states("more") == [1: .serving])
  }

  @Test("leave what serves alone when its room would do for the first version alone")
  func refusedAsAWhole() throws {
    let fixture = try fixture()
    let plans = [
      Self.source("digits", 2, Fixtures.digitsModel(2)),
      Self.source("more", 2, Fixtures.floatDigitsModel),
    ]
    let failure = Self.apply(fixture, plans)
    #expect(failure?.model == "more" && failure?.version == 2)
    guard case .overBudget(let needed, let available, fixture.manager.ledger.budget)? = failure?.cause
    else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(needed > available && available > 0)
    #expect(try fixture.states() == [1: .serving])
    #expect(try fixture.states("more") == [1: .serving, 2: .refused])
    #expect(fixture.events.all.allSatisfy { if case .drainFirst = $0 { false } else { true } })
  }

  @Test("leave what serves alone when not even its room would do")
  func refused() throws {
    let fixture = ServingFixture(budget: try ServingFixture.needs(1) + 100)
    try fixture.load(1).get()
    let plan = Self.source("digits", 2, Fixtures.floatDigitsModel)
    guard case .overBudget(let needed, let available, _)? = Self.apply(fixture, [plan])?.cause else {
      Issue.record("the plan was not refused for its memory")
      return
    }
    #expect(needed > available)
    #expect(try fixture.states() == [1: .serving, 2: .refused])
    #expect(fixture.events.all.allSatisfy { if case .drainFirst = $0 { false } else { true } })
  }
}
