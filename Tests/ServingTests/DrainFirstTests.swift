import Glibc
import ModelBundle
import Serving
import Synchronization
import TestSupport
import Testing

@Suite("Drain first", .serialized)
struct DrainFirstTests {
  /// A budget that holds one version and no second.
  private static func tightBudget() throws -> Int {
    try max(ServingFixture.needs(1), ServingFixture.needs(2)) + 100
  }

  @Test("unloads the old to make room, and loses no request")
  func underLoad() throws {
    let fixture = ServingFixture(budget: try Self.tightBudget())
    try fixture.load(1).get()
    let image = try DigitsTestSplit().images[0]
    let requests = RepeatedRequests(fixture, image, threads: 4)
    for swap in 1...20 {
      #expect(throws: Never.self) { try fixture.load(Int64(swap % 2 + 1)).get() }
    }
    #expect(eventually { requests.answered > 2000 })
    #expect(requests.end())
    #expect(requests.failed == 0)
    #expect(fixture.manager.ledger.snapshot().peakBytes <= fixture.manager.ledger.budget)
    #expect(
      fixture.events.all.contains(.drainFirst(model: "digits", version: 2, leaving: 1)))
  }

  @Test("parks requests while the old is still in use, and answers them with the new")
  func parks() throws {
    let fixture = ServingFixture(budget: try Self.tightBudget())
    try fixture.load(1).get()
    let held = Mutex<VersionLease?>(try fixture.lease())
    let loaded = Outcome<Result<Void, LoadFailure>>()
    fixture.manager.load(
      VersionSource(model: "digits", version: 2, path: Fixtures.digitsModel(2))
    ) { loaded.set($0) }
    #expect(
      eventually {
        fixture.events.all.contains(.drainFirst(model: "digits", version: 2, leaving: 1))
      })
    let parked = (0..<10).map { _ in
      let outcome = Outcome<Result<VersionLease, ServingError>>()
      fixture.service.lease("digits", .latest) { outcome.set($0) }
      return outcome
    }
    #expect(parked.allSatisfy { $0.current == nil })
    #expect(fixture.service.isReady())
    held.withLock { $0 = nil }
    try loaded.wait().get()
    let versions = try parked.map { try $0.wait().get().description.version }
    #expect(versions == Array(repeating: 2, count: 10))
  }

  @Test("waits for what drained before it too, when it counts on its room")
  func earlierDrain() throws {
    let probe = ServingFixture()
    try probe.load(3, path: Fixtures.floatDigitsModel).get()
    let large = probe.manager.ledger.snapshot().peakBytes
    let fixture = ServingFixture(budget: large + 100)
    try fixture.load(1).get()
    let held = Mutex<VersionLease?>(try fixture.lease())
    try fixture.load(2).get()
    #expect(try fixture.states()[1] == .draining)
    let loaded = Outcome<Result<Void, LoadFailure>>()
    fixture.manager.load(
      VersionSource(model: "digits", version: 3, path: Fixtures.floatDigitsModel)
    ) { loaded.set($0) }
    #expect(
      eventually {
        fixture.events.all.contains(.drainFirst(model: "digits", version: 3, leaving: 2))
      })
    usleep(50_000)
    #expect(loaded.current == nil)
    held.withLock { $0 = nil }
    try loaded.wait().get()
    #expect(try fixture.lease().description.version == 3)
  }

  @Test("loads the old again when the new fails, and answers the parked with it")
  func restores() throws {
    let directory = TemporaryDirectory()
    let spoiled = try DigitsBundle.write(2, into: directory, spoiled: true)
    let fixture = ServingFixture(budget: try Self.tightBudget())
    try fixture.load(1).get()
    let charged = fixture.manager.ledger.chargedBytes
    guard case .failure(.goldenMismatch) = fixture.load(2, path: spoiled) else {
      Issue.record("the spoiled version was taken")
      return
    }
    #expect(try fixture.states() == [1: .serving, 2: .refused])
    #expect(try fixture.lease(.label("stable")).description.version == 1)
    #expect(fixture.manager.ledger.chargedBytes == charged)
    #expect(fixture.events.all.contains(.restored(model: "digits", version: 1)))
  }

  @Test("bounds the parked in number and time")
  func bounds() throws {
    let fixture = ServingFixture(budget: try Self.tightBudget()) { limits in
      limits.parkedRequestsMaximum = 2
      limits.parkedMilliseconds = 50
      limits.drainMilliseconds = 1000
    }
    try fixture.load(1).get()
    let held = Mutex<VersionLease?>(try fixture.lease())
    let loaded = Outcome<Result<Void, LoadFailure>>()
    fixture.manager.load(
      VersionSource(model: "digits", version: 2, path: Fixtures.digitsModel(2))
    ) { loaded.set($0) }
    #expect(
      eventually {
        fixture.events.all.contains { if case .drainFirst = $0 { true } else { false } }
      })
    let outcomes = (0..<3).map { _ in
      let outcome = Outcome<ServingError?>()
      fixture.service.lease("digits", .latest) { result in
        if case .failure(let error) = result { outcome.set(error) } else { outcome.set(nil) }
      }
      return outcome
    }
    #expect(outcomes[2].wait() == .queueFull(model: "digits", limit: 2, retryMilliseconds: 1000))
    #expect(outcomes[0].wait() == .deadlineExceeded)
    #expect(outcomes[1].wait() == .deadlineExceeded)
    // The lease never goes: the switch is given up, and the old serves on.
    guard case .failure(.drainTimedOut(1000)) = loaded.wait() else {
      Issue.record("the switch was not given up")
      return
    }
    #expect(try fixture.lease().description.version == 1)
    held.withLock { $0 = nil }
    #expect(try fixture.states() == [1: .serving, 2: .refused])
  }

  @Test("lets a parked request wait no longer than its client or the configuration says")
  func patience() throws {
    for bound in [nil, 50] {
      let fixture = ServingFixture(budget: try Self.tightBudget()) { limits in
        limits.parkedMilliseconds = 600_000
        limits.drainMilliseconds = 600_000
        limits.queueMillisecondsMaximum = bound
      }
      try fixture.load(1).get()
      let held = Mutex<VersionLease?>(try fixture.lease())
      let loaded = Outcome<Result<Void, LoadFailure>>()
      fixture.manager.load(
        VersionSource(model: "digits", version: 2, path: Fixtures.digitsModel(2))
      ) { loaded.set($0) }
      #expect(
        eventually {
          fixture.events.all.contains(.drainFirst(model: "digits", version: 2, leaving: 1))
        })
      var hurried = RequestTerms()
      hurried.narrow(timeoutMicroseconds: 20_000)
      let (patient, first, second) = (RequestTerms(), hurried, hurried)
      // One that waits for long stands in front of those that do not.
      let outcomes = [patient, first, second].map { terms in
        let outcome = Outcome<Result<VersionLease, ServingError>>()
        fixture.service.lease("digits", .latest, terms) { outcome.set($0) }
        return outcome
      }
      for outcome in outcomes.dropFirst() {
        #expect(throws: ServingError.deadlineExceeded) { _ = try outcome.wait().get() }
      }
      if bound != nil {
        #expect(throws: ServingError.deadlineExceeded) { _ = try outcomes[0].wait().get() }
      } else {
        #expect(outcomes[0].current == nil)
      }
      held.withLock { $0 = nil }
      try loaded.wait().get()
      if bound == nil { #expect(try outcomes[0].wait().get().description.version == 2) }
    }
  }

  @Test("does not unload a version for one that would not fit alone")
  func tooLarge() throws {
    let small = try ServingFixture.needs(1)
    guard let path = SharedModels.paths(under: "mlperf_tiny").first else { return }
    let fixture = ServingFixture(budget: small + 100)
    try fixture.load(1).get()
    guard case .failure(.overBudget(let needed, small + 100, small + 100)) =
      fixture.load(2, path: path)
    else {
      Issue.record("a model over budget was taken")
      return
    }
    #expect(needed > small + 100)
    #expect(fixture.events.all.allSatisfy { if case .drainFirst = $0 { false } else { true } })
  }
}
