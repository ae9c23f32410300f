import Cryptography
import DeliveryTestSupport
import ModelBundle
import Publishing
import SignedDocuments
import TestSupport
import Testing

@testable import ModelDelivery

@Suite("Commands to one device")
struct CommandTests {
  private func command(
    _ bench: Bench, _ sequence: Int64, _ pins: [CommandDocument.Pin],
    _ change: (inout CommandDocument) -> Void = { _ in }
  ) throws -> [UInt8] {
    var document = CommandDocument(
      fleet: bench.fleet.name, device: "device-1", rootVersion: 1, sequence: sequence,
      issued: TestFleet.now, expires: TestFleet.expires, pins: pins)
    change(&document)
    return try document.signed(by: bench.fleet.publisherKeys)
  }

  private func topic(_ bench: Bench) -> Topic {
    .command(fleet: bench.fleet.name, device: "device-1")
  }

  private func answers(_ bench: Bench) -> [String] {
    bench.effects.compactMap {
      if case .acknowledge(let sequence, let code) = $0 { "\(sequence) \(code)" } else { nil }
    }
  }

  /// A device that runs version 2 after version 1.
  private func bench() throws -> Bench {
    var bench = Bench()
    try bench.deliver(try bench.release(1), sequence: 1)
    try bench.deliver(try bench.release(2), sequence: 2)
    #expect(bench.status.serving == 2)
    return bench
  }

  private func reference(_ bench: Bench, _ version: Int64) throws -> DirectorDocument.Reference {
    .init(
      sequence: version, manifestSHA256: SHA256.hash(try bench.release(version).message))
  }

  @Test("a pinned model stays where it is, and follows the director again when it is let go")
  func hold() throws {
    var bench = try bench()
    bench.hear(topic(bench), try command(bench, 1, [.init(model: "digits", target: nil)]))
    #expect(answers(bench) == ["1 accepted"])
    try bench.deliver(try bench.release(3), sequence: 3)
    #expect(bench.status.serving == 2 && bench.status.isPinned)
    bench.hear(topic(bench), try command(bench, 2, []))
    #expect(!bench.status.isPinned && bench.status.state == .offered)
    try bench.deliver(try bench.release(3), sequence: 3)
    #expect(bench.status.serving == 3)
  }

  @Test("a model is pinned to another version, down to the floor, whatever stage or pause says")
  func version() throws {
    var bench = try bench()
    bench.hear(
      topic(bench),
      try command(bench, 1, [.init(model: "digits", target: try reference(bench, 1))]))
    bench.hear(
      .release(fleet: bench.fleet.name, model: "digits", sequence: 1),
      try bench.release(1).message)
    #expect(bench.status.serving == 1 && bench.status.state == .committed)

    var floor = Bench()
    try floor.deliver(try floor.release(1), sequence: 1)
    try floor.deliver(try floor.release(2) { $0.securityFloor = 2 }, sequence: 2)
    floor.hear(
      topic(floor),
      try command(floor, 1, [.init(model: "digits", target: try reference(floor, 1))]))
    #expect(floor.status.serving == 2 && floor.status.cause == .rollback)

    var paused = Bench()
    try paused.deliver(try paused.release(1), sequence: 1) { $0.isPaused = true }
    #expect(paused.status.serving == nil)
    paused.hear(
      topic(paused),
      try command(paused, 1, [.init(model: "digits", target: try reference(paused, 1))]))
    #expect(paused.status.state == .offered)
  }

  @Test("an older command, one of the same number, one that ran out and a stranger's are refused")
  func replay() throws {
    var bench = try bench()
    let hold = [CommandDocument.Pin(model: "digits", target: nil)]
    bench.hear(topic(bench), try command(bench, 5, hold))
    bench.hear(topic(bench), try command(bench, 4, []))
    bench.hear(topic(bench), try command(bench, 5, []))
    bench.hear(topic(bench), try command(bench, 6, []) { $0.expires = TestFleet.now })
    #expect(answers(bench) == ["5 accepted", "4 rollback", "5 rollback", "6 expired"])
    #expect(bench.status.isPinned)
    bench.hear(topic(bench), try command(bench, 7, []) { $0.device = "device-2" })
    bench.hear(topic(bench), try command(bench, 7, []) { $0.fleet = "elsewhere" })
    let other = TestFleet(name: bench.fleet.name, seed: 9)
    var document = CommandDocument(
      fleet: bench.fleet.name, device: "device-1", rootVersion: 1, sequence: 7,
      issued: TestFleet.now, expires: TestFleet.expires)
    bench.hear(topic(bench), try document.signed(by: other.publisherKeys))
    document.sequence = 8
    bench.hear(topic(bench), [])
    #expect(answers(bench).count == 4 && bench.status.isPinned)

    // After a restart the pin holds before anything is heard, and an older command is still one.
    let record = try #require(bench.record)
    var next = Bench(record: record, stored: bench.stored)
    #expect(next.status.isPinned && next.delivery.commandSequence == 5)
    next.hear(topic(next), try command(next, 4, []))
    #expect(next.status.isPinned && answers(next) == ["4 rollback"])
    try next.deliver(try next.release(3), sequence: 3)
    #expect(next.status.serving == 2)
    // The one that was taken up is taken up again, also when its time is over.
    next.now.wallSeconds = TestFleet.expires
    next.hear(topic(next), try command(next, 5, hold))
    #expect(next.status.isPinned && answers(next) == ["4 rollback"])
  }

  @Test("a held device installs nothing, over a restart too, and goes on when it is let go")
  func held() throws {
    var bench = try bench()
    bench.hear(topic(bench), try command(bench, 1, []) { $0.hold = 0 })
    #expect(answers(bench) == ["1 accepted"] && bench.delivery.heldUntil(now: bench.now) == 0)
    // What serves is what is wanted: there is nothing to hold up.
    #expect(bench.status.state == .committed && bench.status.cause == nil)
    try bench.deliver(try bench.release(3), sequence: 3)
    #expect(bench.status.serving == 2 && bench.status.cause == .held)
    #expect(bench.status.state == .waiting)
    let record = try #require(bench.record)
    var next = Bench(record: record, stored: bench.stored)
    next.effects = []
    try next.deliver(try next.release(3), sequence: 3)
    next.now.milliseconds += 86_400_000
    next.send(.tick)
    #expect(next.status.serving == 2 && next.status.cause == .held)
    #expect(!next.subscriptions.contains { $0.contains("/rel/") || $0.contains("/o/") })
    // A pin is no way around it, and an older command lets nothing go.
    next.hear(
      topic(next),
      try command(next, 2, [.init(model: "digits", target: try reference(next, 1))]) { $0.hold = 0 })
    #expect(next.status.serving == 2 && next.status.cause == .held && next.status.isPinned)
    next.hear(topic(next), try command(next, 1, []))
    #expect(next.delivery.heldUntil(now: next.now) == 0)
    next.hear(topic(next), try command(next, 3, []))
    #expect(next.delivery.heldUntil(now: next.now) == nil && next.status.state == .offered)
    try next.deliver(try next.release(3), sequence: 4)
    #expect(next.status.serving == 3)
  }

  @Test("a hold for a time ends by itself, and the device may have been off meanwhile")
  func heldForATime() throws {
    var bench = try bench()
    let until = TestFleet.now + 7200
    bench.hear(topic(bench), try command(bench, 1, []) { $0.hold = until })
    try bench.deliver(try bench.release(3), sequence: 3)
    #expect(bench.status.cause == .held && bench.delivery.heldUntil(now: bench.now) == until)
    let record = try #require(bench.record)
    bench.now = DeliveryTime(milliseconds: 3_600_000, wallSeconds: until - 1)
    bench.send(.tick)
    #expect(bench.status.cause == .held)
    bench.now = DeliveryTime(milliseconds: 3_601_000, wallSeconds: until)
    #expect(bench.delivery.deadline <= bench.now.milliseconds)
    bench.send(.tick)
    #expect(bench.status.state == .offered && bench.status.cause == nil)

    var later = Bench(record: record, stored: bench.stored)
    later.now.wallSeconds = until
    try later.deliver(try later.release(3), sequence: 3)
    #expect(later.status.serving == 3)
  }

  @Test("a hold stops a fetch that is under way, and keeps what came; a trial goes on")
  func heldMidway() throws {
    var bench = try bench()
    let release = try bench.release(3)
    bench.hear(
      .director(fleet: bench.fleet.name, model: "digits"),
      try bench.fleet.sign(bench.fleet.director(release.signed, sequence: 3)))
    bench.hear(
      .release(fleet: bench.fleet.name, model: "digits", sequence: 3), release.message)
    let object = release.signed.object
    bench.hear(
      .index(fleet: bench.fleet.name, objectID: object.index.objectID), object.index.bytes)
    #expect(bench.status.state == .fetching)
    bench.effects = []
    bench.hear(topic(bench), try command(bench, 1, []) { $0.hold = 0 })
    #expect(bench.status.state == .waiting && bench.status.cause == .held)
    #expect(bench.effects.contains { if case .unsubscribe = $0 { true } else { false } })
    #expect(!bench.effects.contains { if case .discardStaged = $0 { true } else { false } })
  }

  @Test("neither a command nor a director's word is taken for the other")
  func confusion() throws {
    var bench = try bench()
    let command = try command(bench, 9, [])
    let word = try bench.fleet.sign(
      bench.fleet.director(try bench.release(3).signed, sequence: 9))
    bench.hear(topic(bench), word)
    bench.hear(.director(fleet: bench.fleet.name, model: "digits"), command)
    #expect(answers(bench).isEmpty && bench.delivery.commandSequence == 0)
    #expect(bench.status.directorSequence == 2)
    #expect(throws: DocumentError.self) {
      _ = try bench.fleet.trustedRoot.authenticate(director: command, model: "digits")
    }
    #expect(throws: DocumentError.self) {
      _ = try bench.fleet.trustedRoot.authenticate(command: word, device: "device-1")
    }
  }

  @Test("a command is durable before it is acted on")
  func order() throws {
    var bench = try bench()
    bench.effects = []
    bench.hear(
      topic(bench),
      try command(bench, 1, [.init(model: "digits", target: try reference(bench, 1))]))
    guard case .persist(_, let bytes) = bench.effects.first else {
      Issue.record("\(bench.effects)")
      return
    }
    #expect(DeliveryRecord(bytes)?.command?.sequence == 1)
    #expect(DeliveryRecord(bytes)?.models["digits"]?.isPinned == true)
  }

  @Test("no seeded mutation of a command is taken up")
  func mutations() throws {
    var bench = try bench()
    let message = try command(bench, 1, [.init(model: "digits", target: nil)])
    var random = SplitMix64(seed: 0xC033)
    for _ in 0..<20_000 {
      let mutated = message.mutated(using: &random)
      if mutated != message { bench.hear(topic(bench), mutated) }
    }
    #expect(answers(bench).isEmpty && !bench.status.isPinned)
  }
}
