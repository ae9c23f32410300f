import Serving
import TestSupport
import Testing

@Suite("Live versions", .serialized)
struct LiveVersionTests {
  /// Brings a version into service beside others, and waits for the outcome.
  private static func load(
    _ fixture: ServingFixture, _ version: Int64, keeping kept: Set<Int64>
  ) -> Result<Void, LoadFailure> {
    let outcome = Outcome<Result<Void, LoadFailure>>()
    fixture.manager.load(source(version), keeping: kept) { outcome.set($0) }
    return outcome.wait()
  }

  private static func source(
    _ version: Int64, model: String = "digits", path: String? = nil
  ) -> VersionSource {
    VersionSource(
      model: model, version: version, path: path ?? Fixtures.digitsModel(version == 1 ? 1 : 2))
  }

  private static func apply(
    _ fixture: ServingFixture, _ plans: [ModelPlan]
  ) -> PlanFailure? {
    let outcome = Outcome<PlanFailure?>()
    fixture.manager.apply(plans) { result in
      if case .failure(let failure) = result { outcome.set(failure) } else { outcome.set(nil) }
    }
    return outcome.wait()
  }

  @Test("several versions answer side by side, each charged, and leave one by one")
  func sideBySide() throws {
    let fixture = ServingFixture()
    try fixture.load(1).get()
    let alone = fixture.manager.ledger.chargedBytes
    try Self.load(fixture, 2, keeping: [1]).get()
    #expect(try fixture.states() == [1: .serving, 2: .serving])
    let charged = try fixture.service.statuses(of: "digits").reduce(0) { $0 + $1.memory.totalBytes }
    #expect(fixture.manager.ledger.chargedBytes == charged)
    #expect(charged > alone)
    let image = try DigitsTestSplit().images[0]
    #expect(try fixture.answer(image).version == 2)
    #expect(try fixture.answer(image, .version(1)).version == 1)
    #expect(try fixture.answer(image, .label("stable")).version == 2)
    fixture.manager.unload(model: "digits", version: 2)
    #expect(eventually { (try? fixture.states()) == [1: .serving, 2: .retired] })
    #expect(try fixture.answer(image).version == 1)
    #expect(try fixture.answer(image, .label("stable")).version == 1)
  }

  @Test("a declared label moves when its version serves, and stays where it was until then")
  func declaredLabels() throws {
    let fixture = ServingFixture()
    fixture.manager.declare("digits", policy: .all, labels: ["stable": 1, "canary": 2])
    try fixture.load(1).get()
    #expect(throws: ServingError.labelNotFound(model: "digits", label: "canary")) {
      _ = try fixture.lease(.label("canary"))
    }
    try Self.load(fixture, 2, keeping: [1]).get()
    #expect(try fixture.lease(.label("stable")).description.version == 1)
    #expect(try fixture.lease(.label("canary")).description.version == 2)
    fixture.manager.declare("digits", policy: .all, labels: ["stable": 3, "canary": 2])
    #expect(try fixture.lease(.label("stable")).description.version == 1)
    try Self.load(fixture, 3, keeping: [1, 2]).get()
    #expect(try fixture.lease(.label("stable")).description.version == 3)
  }

  @Test("a plan changes versions and labels of all models at once")
  func plan() throws {
    let fixture = ServingFixture()
    try fixture.load(1).get()
    let plans = [
      ModelPlan(
        model: "digits", policy: .specific([2, 3]), labels: ["stable": 2, "canary": 3],
        versions: [Self.source(2), Self.source(3)]),
      ModelPlan(
        model: "more", policy: .latest(1), versions: [Self.source(1, model: "more")]),
    ]
    #expect(Self.apply(fixture, plans) == nil)
    #expect(eventually { (try? fixture.states()) == [1: .retired, 2: .serving, 3: .serving] })
    #expect(try fixture.states("more") == [1: .serving])
    #expect(try fixture.lease(.label("canary")).description.version == 3)
    #expect(fixture.service.policy(of: "digits") == .specific([2, 3]))
  }

  @Test("a plan of which one version fails changes nothing, and keeps nothing of it in memory")
  func failingPlan() throws {
    let directory = TemporaryDirectory()
    directory.write("bad", "no model at all")
    let fixture = ServingFixture()
    try fixture.load(1).get()
    let charged = fixture.manager.ledger.chargedBytes
    let plans = [
      ModelPlan(
        model: "digits", policy: .latest(2), labels: ["stable": 2], versions: [Self.source(2)]),
      ModelPlan(
        model: "more", policy: .latest(1),
        versions: [Self.source(1, model: "more", path: directory.path + "/bad")]),
    ]
    let failure = Self.apply(fixture, plans)
    #expect(failure?.model == "more")
    #expect(failure?.cause.code == "model-invalid")
    #expect(try fixture.states() == [1: .serving])
    #expect(try fixture.lease(.label("stable")).description.version == 1)
    #expect(fixture.service.policy(of: "digits") == .latest(1))
    #expect(fixture.service.modelNames() == ["digits"])
    #expect(fixture.service.isReady())
    #expect(fixture.manager.ledger.chargedBytes == charged)
  }

  @Test("a plan that the budget does not hold beside what it keeps is refused with the numbers")
  func planOverBudget() throws {
    let budget = try max(ServingFixture.needs(1), ServingFixture.needs(2)) + 100
    let fixture = ServingFixture(budget: budget)
    try fixture.load(1).get()
    let plan = ModelPlan(
      model: "digits", policy: .latest(2), versions: [Self.source(1), Self.source(2)])
    guard case .overBudget(_, _, budget)? = Self.apply(fixture, [plan])?.cause else {
      Issue.record("the plan was not refused for its memory")
      return
    }
    #expect(try fixture.states() == [1: .serving, 2: .refused])
    #expect(fixture.manager.ledger.snapshot().peakBytes <= budget)
  }

  @Test("a tight budget drains what leaves, and never what is kept")
  func drainFirst() throws {
    let needs = try max(ServingFixture.needs(1), ServingFixture.needs(2))
    let fixture = ServingFixture(budget: 2 * needs + 100)
    try fixture.load(1).get()
    try Self.load(fixture, 2, keeping: [1]).get()
    try Self.load(fixture, 3, keeping: [2]).get()
    #expect(eventually { (try? fixture.states()) == [1: .retired, 2: .serving, 3: .serving] })
    #expect(
      fixture.events.all.contains(.drainFirst(model: "digits", version: 3, leaving: 1)))
    guard case .failure(.overBudget) = Self.load(fixture, 4, keeping: [2, 3]) else {
      Issue.record("a third version was taken")
      return
    }
    #expect(try fixture.states() == [1: .retired, 2: .serving, 3: .serving, 4: .refused])
  }

  @Test("a model that is held is not missed until it is loaded again")
  func held() throws {
    let fixture = ServingFixture()
    try fixture.load(1).get()
    fixture.manager.hold("digits")
    #expect(fixture.service.isReady())
    #expect(fixture.service.declaration(of: "digits").isHeld)
    #expect(throws: ServingError.notReady(model: "digits")) { _ = try fixture.lease() }
    try fixture.load(2).get()
    #expect(!fixture.service.declaration(of: "digits").isHeld)
  }
}
