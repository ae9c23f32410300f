import Cryptography
import DeliveryTestSupport
import ModelBundle
import Publishing
import SignedDocuments
import Testing

@testable import ModelDelivery

@Suite("Guards of a delivery")
struct GuardTests {
  /// A device that runs version 1 and was told of version 2, whose blocks it asks for.
  private func fetching() throws -> (bench: Bench, object: EncodedObject) {
    var bench = Bench()
    try bench.deliver(try bench.release(1), sequence: 1)
    let release = try bench.release(2)
    let object = release.signed.object
    bench.hear(
      .director(fleet: bench.fleet.name, model: "digits"),
      try bench.fleet.sign(bench.fleet.director(release.signed, sequence: 2)))
    bench.hear(.release(fleet: bench.fleet.name, model: "digits", sequence: 2), release.message)
    bench.hear(
      .index(fleet: bench.fleet.name, objectID: object.index.objectID), object.index.bytes)
    #expect(bench.status.state == .fetching)
    return (bench, object)
  }

  private func count(_ bench: Bench, _ effect: DeliveryEffect) -> Int {
    bench.effects.count { $0 == effect }
  }

  @Test("row 9: over a link that drips, the connection is made anew every ten minutes, and told")
  func slow() throws {
    var (bench, _) = try fetching()
    bench.pass(599_000)
    #expect(count(bench, .reconnect) == 0)
    bench.pass(2_000)
    #expect(count(bench, .reconnect) == 1 && bench.status.cause == .slowTransfer)
    #expect(bench.status.serving == 1 && bench.status.state == .fetching)
    bench.send(.disconnected)
    bench.pass(3_600_000)
    // Away from the broker nothing is slow.
    #expect(count(bench, .reconnect) == 1)
    bench.send(.connected)
    bench.pass(601_000)
    #expect(count(bench, .reconnect) == 2)
  }

  @Test("row 9: one block in ten minutes is enough when it is large, and resets the measure")
  func paced() {
    var fetch = Fetch.sample
    let time = { (milliseconds: Int64) in
      DeliveryTime(milliseconds: milliseconds, wallSeconds: 0)
    }
    fetch.beginPace(time(0))
    #expect(fetch.paceDeadline == DeliveryLimits.paceMilliseconds)
    let paces = [59_999, 60_000, 0].enumerated().map { i, bytes in
      fetch.came(bytes)
      return fetch.takePace(time(Int64(i + 1) * 600_000))
    }
    #expect(paces == [false, true, false])
    fetch.endPace()
    #expect(fetch.paceDeadline == .max)
  }

  @Test("rows 15 and 20: what the broker does not hold is asked of the publisher, ever less often")
  func seeds() throws {
    var (bench, object) = try fetching()
    bench.pass(300_000)
    let requests = count(bench, .requestSeed(objectID: object.index.objectID))
    #expect((1...8).contains(requests))
    #expect(bench.status.cause == .truncated && bench.status.serving == 1)
    // What comes later is taken as if it had been there.
    for (i, block) in object.blocks.enumerated() {
      bench.hear(
        .block(fleet: bench.fleet.name, objectID: object.index.objectID, block: i), block)
    }
    #expect(bench.status.serving == 2)
  }

  @Test("what a broker lacks is looked for at another one, after the publisher had time to answer")
  func otherBroker() throws {
    var (bench, _) = try fetching()
    bench.pass(3_600_000)
    let effects = bench.effects.compactMap { effect -> String? in
      switch effect {
      case .requestSeed: "ask"
      case .changeBroker: "change"
      default: nil
      }
    }
    #expect(effects.prefix(5) == ["ask", "ask", "ask", "change", "ask"])
    bench.send(.disconnected)
    let before = count(bench, .changeBroker)
    bench.pass(3_600_000)
    #expect(count(bench, .changeBroker) == before)
  }

  @Test("an update larger than the link may carry is refused, and a file brings it")
  func metered() throws {
    var bench = Bench { $0.meteredBytes = 10 }
    let release = try bench.release(1)
    try bench.deliver(release, sequence: 1)
    #expect(bench.status.cause == .metered && bench.status.state == .refused)
    #expect(!bench.subscriptions.contains { $0.contains("/o/") })
    bench.send(.disconnected)
    bench.send(.attached)
    try bench.deliver(release, sequence: 2)
    #expect(bench.status.state == .committed && bench.status.serving == 1)

    // The director may let a device carry more than it would, and the other way about.
    for (own, word, isTaken) in [(10, 1 << 20, true), (1 << 20, 10, false)] {
      var told = Bench { $0.meteredBytes = Int64(own) }
      try told.deliver(try told.release(1), sequence: 1) { $0.meteredBytes = Int64(word) }
      #expect(told.status.serving == (isTaken ? 1 : nil))
      #expect(told.status.cause == (isTaken ? nil : .metered))
    }
    var unmetered = Bench()
    try unmetered.deliver(try unmetered.release(1), sequence: 1) { $0.meteredBytes = 10 }
    #expect(unmetered.status.serving == 1)

    var free = Bench { $0.meteredBytes = 1 << 20 }
    try free.deliver(try free.release(1), sequence: 1)
    #expect(free.status.serving == 1)
  }

  @Test("row 25: what is installed is checked every week, and fetched again when bits have flipped")
  func scrub() throws {
    var bench = Bench()
    let release = try bench.release(1)
    try bench.deliver(release, sequence: 1)
    bench.effects = []
    bench.now.milliseconds += DeliveryLimits.scrubMilliseconds
    bench.send(.tick)
    #expect(bench.effects.contains { if case .verify = $0 { true } else { false } })
    #expect(bench.status.state == .committed && bench.status.cause == nil)
    bench.stored = []
    bench.now.milliseconds += DeliveryLimits.scrubMilliseconds
    bench.send(.tick)
    // It serves on from memory meanwhile.
    #expect(bench.status.serving == 1 && bench.status.state == .offered)
    #expect(bench.status.cause == .blockHash)
    bench.hear(.release(fleet: bench.fleet.name, model: "digits", sequence: 1), release.message)
    let object = release.signed.object
    bench.hear(
      .index(fleet: bench.fleet.name, objectID: object.index.objectID), object.index.bytes)
    for (i, block) in object.blocks.enumerated() {
      bench.hear(
        .block(fleet: bench.fleet.name, objectID: object.index.objectID, block: i), block)
    }
    #expect(bench.status.state == .committed && bench.status.cause == nil)
  }

  @Test("row 7: objects of one release under the name of another are not taken")
  func mixAndMatch() throws {
    var (bench, object) = try fetching()
    let other = try bench.release(3).signed.object
    for (i, block) in other.blocks.enumerated() {
      bench.hear(
        .block(fleet: bench.fleet.name, objectID: object.index.objectID, block: i), block)
    }
    #expect(bench.status.state == .fetching && bench.status.cause == .blockHash)
    var indexed = Bench()
    let release = try indexed.release(2)
    indexed.hear(
      .director(fleet: indexed.fleet.name, model: "digits"),
      try indexed.fleet.sign(indexed.fleet.director(release.signed, sequence: 1)))
    indexed.hear(
      .release(fleet: indexed.fleet.name, model: "digits", sequence: 2), release.message)
    indexed.hear(
      .index(fleet: indexed.fleet.name, objectID: object.index.objectID), other.index.bytes)
    #expect(indexed.status.state == .planned && indexed.status.cause == .indexHash)
  }

  @Test("row 32: a version is kept, and counted, with nobody there to be told")
  func keptAlone() throws {
    var bench = Bench()
    try bench.deliver(try bench.release(1), sequence: 1)
    try bench.deliver(try bench.release(2) { $0.gate.trialMinutes = 1 }, sequence: 2)
    bench.send(.disconnected)
    bench.observations[2] = VersionObservation(requests: 10)
    bench.pass(61_000)
    #expect(bench.status.state == .committed)
    #expect(bench.record?.models["digits"]?.releaseSequence == 2)
  }

  @Test("row 35: whatever a delivery is at, a newer word is followed", arguments: 0..<7)
  func neverStuck(stage: Int) throws {
    var bench = Bench()
    try bench.deliver(try bench.release(1), sequence: 1)
    let (second, third) = (try bench.release(2), try bench.release(3))
    let fleet = bench.fleet
    func hear(_ bench: inout Bench, _ topic: Topic, _ payload: [UInt8], at least: Int) {
      if stage >= least { bench.hear(topic, payload) }
    }
    let object = second.signed.object
    hear(
      &bench, .director(fleet: fleet.name, model: "digits"),
      try fleet.sign(fleet.director(second.signed, sequence: 2)), at: 0)
    hear(
      &bench, .release(fleet: fleet.name, model: "digits", sequence: 2), second.message, at: 1)
    hear(
      &bench, .index(fleet: fleet.name, objectID: object.index.objectID), object.index.bytes, at: 2)
    hear(
      &bench, .block(fleet: fleet.name, objectID: object.index.objectID, block: 0),
      object.blocks[0], at: 3)
    if stage == 4 {
      bench.send(.failed(model: "digits", effect: .write, failure: .noSpace))
      #expect(bench.status.state == .waiting)
    }
    if stage == 5 {
      bench.activationFailure = .gateMismatch
      for (i, block) in object.blocks.enumerated() {
        bench.hear(
          .block(fleet: fleet.name, objectID: object.index.objectID, block: i), block)
      }
      #expect(bench.status.state == .refused)
      bench.activationFailure = nil
    }
    if stage == 6 {
      bench.send(.disconnected)
      bench.send(.connected)
    }
    try bench.deliver(third, sequence: 3)
    #expect(bench.status.state == .committed && bench.status.serving == 3)
  }
}

extension Fetch {
  /// Some fetch.
  fileprivate static var sample: Fetch {
    let fleet = TestFleet()
    guard let bundle = try? fleet.bundle(model: [1, 2, 3]),
      let signed = try? fleet.release(bundle, version: 1)
    else { fatalError("three bytes can be released") }
    let offer = Offer(
      release: signed.document, message: signed.message, manifest: SHA256.hash(signed.message),
      source: ObjectSource(object: signed.document.full, base: nil))
    return Fetch(offer, signed.object.index, missing: [0])
  }
}
