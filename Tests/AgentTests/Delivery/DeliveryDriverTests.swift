import Cryptography
import DeliveryTestSupport
import Glibc
import MQTT
import ModelDelivery
import Publishing
import Serving
import SignedDocuments
import Synchronization
import TestSupport
import Testing

@testable import Agent

@Suite("Delivery over a real broker")
struct DeliveryDriverTests {
  @Test("a release is fetched, stored, activated and committed; the next one replaces it")
  func delivers() throws {
    let harness = try DeliveryHarness()
    let (first, second) = (try harness.release(1), try harness.release(2, blocks: 20))
    try harness.deliver(first, sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    #expect(harness.stored(1) == first.document.bundleSHA256)

    try harness.deliver(second, sequence: 2)
    harness.waitForCommit(2)
    #expect(harness.stored(2) == second.document.bundleSHA256)
    #expect(harness.stored(1) == first.document.bundleSHA256)
    #expect(harness.blocksSent(second).allSatisfy { $0 == 1 })
    let status = harness.driver?.status()
    #expect(status?.connected == true && status?.cause == nil)
    #expect(status?.progressPercent == 100)

    try harness.deliver(try harness.release(3), sequence: 3)
    harness.waitForCommit(3)
    #expect(harness.stored(1) == nil)
  }

  @Test("the stored version is activated before any network")
  func offlineStart() throws {
    let harness = try DeliveryHarness()
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    harness.shutdown()
    harness.broker.kill()

    try harness.start()
    #expect(harness.activations.sources.count == 2)
    #expect(harness.activations.sources.last?.version == 1)
    harness.waitForCause(.brokerUnreachable, stillServing: 1)
  }

  @Test("a damaged stored version is not activated, and is fetched again")
  func bitRot() throws {
    let harness = try DeliveryHarness()
    let release = try harness.release(1)
    try harness.deliver(release, sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    harness.shutdown()
    harness.activations.state.withLock { $0.serving = nil }
    let file = unsafe open("\(harness.stateDirectory)/store/digits/1/bundle", O_RDWR)
    #expect(unsafe pwrite(file, [0xFF, 0x00] as [UInt8], 2, 100_000) == 2)
    close(file)

    try harness.start()
    harness.waitForCommit(1)
    #expect(harness.stored(1) == release.document.bundleSHA256)
  }

  @Test("a broker that comes back is delivered from")
  func brokerReturns() throws {
    let harness = try DeliveryHarness()
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    harness.broker.kill()
    harness.waitForCause(.brokerUnreachable, stillServing: 1)
    try harness.restartBroker()
    try harness.deliver(try harness.release(2), sequence: 2)
    harness.waitForCommit(2)
  }

  @Test("killed in the middle of a fetch, it goes on where it was")
  func resumes() throws {
    let harness = try DeliveryHarness()
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)

    let release = try harness.release(2, blocks: 40)
    let all = harness.fleet.retained(release)
    let late = Set((24..<40).map { harness.block(release, $0) })
    try harness.publish(all.filter { !late.contains($0.key) })
    try harness.publish(try harness.director(release, 2))
    harness.wait { $0.progressPercent == 60 && $0.release == "digits@2" }
    harness.crash()
    #expect(harness.current == 1)

    try harness.start()
    #expect(harness.activations.serving == 1)
    try harness.publish(all.filter { late.contains($0.key) })
    harness.waitForCommit(2)
    let sent = harness.blocksSent(release)
    #expect(sent.allSatisfy { $0 >= 1 })
    #expect(sent.reduce(0, +) <= 40 + DeliveryLimits.window)
  }

  @Test("a version that does not prove itself is refused until the director speaks again")
  func gate() throws {
    let harness = try DeliveryHarness()
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    let failure = LoadFailure.goldenMismatch(
      vector: 0, output: 0, largestDifference: 9, tolerance: 1)
    harness.activations.fail(2, failure)
    let release = try harness.release(2)
    try harness.deliver(release, sequence: 2)
    harness.waitForCause(.gateMismatch, stillServing: 1)
    #expect(harness.stored(2) == nil)
    #expect(harness.activations.sources.count == 2)

    harness.shutdown()
    try harness.start()
    harness.waitForCause(.gateMismatch, stillServing: 1)
    #expect(harness.activations.sources.map(\.version) == [1, 2, 1])

    harness.activations.fail(2, nil)
    try harness.publish(try harness.director(release, 3))
    harness.waitForCommit(2)
  }

  @Test("a version that fails for a passing reason is tried three times")
  func attempts() throws {
    let harness = try DeliveryHarness()
    harness.activations.fail(1, .unreadable(path: "x", errno: EIO))
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCause(.attempts, stillServing: nil)
    #expect(harness.activations.sources.count == 3)
  }

  @Test("birth, status and death are told as they should be")
  func liveness() throws {
    let harness = try DeliveryHarness()
    let observer = try harness.connect("observer")
    let (liveness, status) = (
      Topic.liveness(fleet: harness.fleet.name, device: DeliveryHarness.device),
      Topic.status(fleet: harness.fleet.name, device: DeliveryHarness.device)
    )
    try observer.subscribe([liveness.name, status.name], .atLeastOnce)
    var births: [BirthDocument] = []
    var states: [StatusDocument] = []
    func listen(until isDone: () -> Bool) throws {
      for _ in 0..<600 where !isDone() {
        for case .message(let message) in observer.poll(timeoutMilliseconds: 50) {
          if message.topic == liveness.name {
            // A broker that is left while it still sends may tell the last will besides the farewell: the same word.
            let birth = try BirthDocument.decode(message.payload)
            if births.last != birth { births.append(birth) }
          } else {
            states.append(try StatusDocument.decode(message.payload))
          }
        }
      }
      #expect(isDone())
    }

    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    try listen { states.last?.models.first?.state == "committed" }
    #expect(states.last?.models.first?.current == 1)
    #expect(states.last?.models.first?.directorSequence == 1)
    #expect(births.map(\.isOnline) == [true])
    #expect((states.last?.residentBytes ?? 0) > 1 << 20)
    #expect((states.last?.diskFreeBytes ?? 0) > 0)
    harness.crash()
    try listen { births.count == 2 }
    #expect(births[1] == .death(births[0].birth, boot: births[0].boot))

    try harness.start()
    try listen { births.count == 3 }
    #expect(births[2].isOnline && births[2].birth > births[0].birth)
    harness.shutdown()
    try listen { births.count == 4 }
    #expect(births[3] == .death(births[2].birth, boot: births[2].boot))
  }

  @Test("row 8: a device whose state was restored from a backup comes to the present version")
  func restoredState() throws {
    let harness = try DeliveryHarness()
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    harness.shutdown()
    let path = harness.stateDirectory + "/state/state"
    let backup = try readFile(path)
    try harness.start()
    for version in Int64(2)...3 {
      try harness.deliver(try harness.release(version), sequence: version)
      harness.waitForCommit(version)
    }
    harness.shutdown()
    // The store has gone on: of the version that the old state names, only the newer is left.
    try replaceFile(path, backup)
    try harness.start()
    harness.waitForCommit(3)
    // And the broker's: an older word is refused by what is known again.
    let older = try harness.release(2)
    try harness.publish(try harness.director(older, 2))
    harness.waitForCause(.rollback, stillServing: 3)
  }

  @Test("a command pins the device over a broker, is answered, and is seen in its status")
  func command() throws {
    let harness = try DeliveryHarness()
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    let commander = Commander(
      keys: harness.fleet.publisherKeys,
      brokers: FleetBrokers([
        MQTTConfiguration(
          host: harness.broker.host, port: harness.broker.port, clientID: "commander")
      ]),
      recordDirectory: harness.directory.path, device: DeliveryHarness.device)
    let (first, answer) = try commander.speak(now: harness.now, seconds: 1000, waitSeconds: 20) {
      $0.pin("digits", to: nil)
    }
    #expect(first.sequence == 1 && answer?.code == AcknowledgementDocument.accepted)
    try harness.deliver(try harness.release(2), sequence: 2)
    let reader = FleetReader(
      fleet: harness.fleet.name,
      brokers: FleetBrokers([
        MQTTConfiguration(
          host: harness.broker.host, port: harness.broker.port, clientID: "reader")
      ]))
    var status: StatusDocument?
    for _ in 0..<50 where status?.models.first?.directorSequence != 2 {
      status = try reader.snapshot().devices.first?.status
    }
    #expect(status?.models.first?.isPinned == true && status?.models.first?.current == 1)
    #expect(status?.commandSequence == 1 && status?.told ?? 0 >= harness.now)
    // The same again, under a new number, has it tell anew.
    let (repeated, third) = try commander.speak(now: harness.now, seconds: 1000, waitSeconds: 20) {
      _ in
    }
    #expect(repeated.sequence == 2 && third?.code == AcknowledgementDocument.accepted)
    for _ in 0..<50 where status?.commandSequence != 2 {
      status = try reader.snapshot().devices.first?.status
    }
    #expect(status?.commandSequence == 2 && status?.models.first?.isPinned == true)
    let (second, again) = try commander.speak(now: harness.now, seconds: 1000, waitSeconds: 20) {
      (command) throws(PublishingError) in try command.unpin("digits")
    }
    #expect(second.sequence == 3 && again?.code == AcknowledgementDocument.accepted)
    harness.waitForCommit(2)
    #expect(throws: PublishingError.notPinned(model: "digits", device: DeliveryHarness.device)) {
      _ = try commander.speak(now: harness.now, seconds: 1000, waitSeconds: 0) {
        (command) throws(PublishingError) in try command.unpin("digits")
      }
    }
  }

  @Test("a broker that hangs does not keep the driver from ending")
  func hangingBroker() throws {
    let harness = try DeliveryHarness()
    try harness.start()
    harness.wait(\.connected)
    harness.broker.freeze()
    harness.shutdown()
    #expect(harness.driver == nil)
  }
}
