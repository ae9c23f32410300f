import DeliveryTestSupport
import Glibc
import ModelBundle
import ModelDelivery
import Publishing
import SignedDocuments
import TestSupport
import Testing

@testable import Agent

@Suite("Delivery of what must not be installed")
struct DeliveryFaultTests {
  /// A device that runs version 1.
  private func harness() throws -> DeliveryHarness {
    let harness = try DeliveryHarness()
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    return harness
  }

  @Test("a tampered block is not written, and the right one is taken when it comes")
  func tamperedBlock() throws {
    let harness = try harness()
    let release = try harness.release(2)
    var topics = harness.fleet.retained(release)
    let topic = harness.block(release, 1)
    let right = topics[topic]
    topics[topic]?[1000] ^= 1
    try harness.publish(topics)
    try harness.publish(try harness.director(release, 2))
    harness.waitForCause(.blockHash, stillServing: 1)
    try harness.publish([topic: try #require(right)])
    harness.waitForCommit(2)
  }

  @Test("an index that is not the signed one is not believed")
  func tamperedIndex() throws {
    let harness = try harness()
    let release = try harness.release(2)
    var topics = harness.fleet.retained(release)
    let topic = Topic.index(
      fleet: harness.fleet.name, objectID: release.object.index.objectID)
    topics[topic]?[0] ^= 1
    try harness.publish(topics)
    try harness.publish(try harness.director(release, 2))
    harness.waitForCause(.indexHash, stillServing: 1)
    try harness.publish([topic: release.object.index.bytes])
    harness.waitForCommit(2)
  }

  @Test("a release that the wrong key signed is refused")
  func wrongKey() throws {
    let harness = try harness()
    let release = try harness.release(2)
    let forged = try harness.fleet.sign(release.document, key: harness.fleet.keys.director)
    let topic = Topic.release(fleet: harness.fleet.name, model: "digits", sequence: 2)
    try harness.publish(harness.fleet.retained(release))
    try harness.publish([topic: forged])
    try harness.publish(try harness.director(release, 2))
    harness.waitForCause(.signature, stillServing: 1)
  }

  @Test("a director's word that the wrong key signed changes nothing")
  func wrongDirectorKey() throws {
    let harness = try harness()
    let release = try harness.release(2)
    let other = TestFleet(name: harness.fleet.name, seed: 9, expires: harness.now + 86_400)
    let document = harness.fleet.director(
      release, sequence: 2, issued: harness.now, expires: harness.now + 80_000)
    try harness.publish(harness.fleet.retained(release))
    try harness.publish([
      .director(fleet: harness.fleet.name, model: "digits"): try other.sign(document)
    ])
    harness.waitForCause(.signature, stillServing: 1)
  }

  @Test("an older word of the director is refused")
  func olderDirector() throws {
    let harness = try harness()
    try harness.deliver(try harness.release(2), sequence: 5)
    harness.waitForCommit(2)
    try harness.publish(try harness.director(try harness.release(1), 4))
    harness.waitForCause(.rollback, stillServing: 2)
  }

  @Test("two words of one number are refused, the first holds")
  func equalDirector() throws {
    let harness = try harness()
    try harness.publish(try harness.director(try harness.release(2), 1))
    harness.waitForCause(.rollback, stillServing: 1)
  }

  @Test("a target below the version that ran is refused")
  func olderRelease() throws {
    let harness = try harness()
    try harness.deliver(try harness.release(2), sequence: 2)
    harness.waitForCommit(2)
    try harness.publish(try harness.director(try harness.release(1), 3))
    harness.waitForCause(.rollback, stillServing: 2)
  }

  @Test("an older release on the topic of the wanted one is refused")
  func replayedRelease() throws {
    let harness = try harness()
    let (first, second) = (try harness.release(1), try harness.release(2))
    try harness.publish(harness.fleet.retained(second))
    try harness.publish([
      .release(fleet: harness.fleet.name, model: "digits", sequence: 2): first.message
    ])
    try harness.publish(try harness.director(second, 2))
    harness.waitForCause(.rollback, stillServing: 1)
  }

  @Test("an object without its last block waits, and completes when it is published")
  func truncated() throws {
    let harness = try harness()
    let release = try harness.release(2, blocks: 10)
    var topics = harness.fleet.retained(release)
    let topic = harness.block(release, 9)
    let last = topics.removeValue(forKey: topic)
    try harness.publish(topics)
    try harness.publish(try harness.director(release, 2))
    harness.waitForCause(.truncated, stillServing: 1)
    #expect(harness.driver?.status().progressPercent == 90)
    try harness.publish([topic: try #require(last)])
    harness.waitForCommit(2)
  }

  @Test("retained messages that were wiped are missing, not fatal")
  func wiped() throws {
    let harness = try harness()
    let release = try harness.release(2)
    for topic in harness.fleet.retained(release).keys { try harness.publish([topic: []]) }
    try harness.publish(try harness.director(release, 2))
    harness.waitForCause(.truncated, stillServing: 1)
    try harness.publish(harness.fleet.retained(release))
    harness.waitForCommit(2)
  }

  @Test("a model over the budget is refused before a block of it is fetched")
  func overBudget() throws {
    let harness = try harness()
    let release = try harness.release(2, peakBytes: harness.memoryBudget + 1)
    try harness.deliver(release, sequence: 2)
    harness.waitForCause(.overBudget, stillServing: 1)
    #expect(harness.blocksSent(release).allSatisfy { $0 == 0 })
  }

  @Test("a word that has run out installs nothing")
  func stale() throws {
    let harness = try harness()
    let release = try harness.release(2)
    try harness.publish(harness.fleet.retained(release))
    let document = harness.fleet.director(
      release, sequence: 2, issued: harness.now - 100, expires: harness.now - 50)
    try harness.publish([
      .director(fleet: harness.fleet.name, model: "digits"): try harness.fleet.sign(document)
    ])
    harness.waitForCause(.stale, stillServing: 1)
  }

  @Test("takes the room of packed weights, which can be made again, when the disk is full")
  func roomOfWeights() throws {
    try onSmallDisk("the room of weights") { harness in
      let weights = harness.stateDirectory + "/store/digits/1/packed"
      fillMostOfDisk(weights)
      try harness.deliver(try harness.release(2, blocks: 8), sequence: 2)
      harness.waitForCommit(2)
      #expect(unsafe access(weights, F_OK) != 0)
    }
  }

  @Test("a full disk refuses the release, and is tried again when there is room")
  func fullDisk() throws {
    try onSmallDisk("a full disk") { harness in
      let filler = harness.stateDirectory + "/filler"
      fillMostOfDisk(filler)
      try harness.deliver(try harness.release(2, blocks: 8), sequence: 2)
      harness.waitForCause(.noSpace, stillServing: 1)
      unsafe unlink(filler)
      harness.waitForCommit(2)
    }
  }

  /// A device that serves version 1 from a disk of 1 MiB; skipped, and said, where none can be mounted.
  private func onSmallDisk(_ test: String, _ body: (DeliveryHarness) throws -> Void) throws {
    let harness = try DeliveryHarness()
    harness.stateDirectory = harness.directory.path + "/small"
    unsafe mkdir(harness.stateDirectory, 0o700)
    let mounted = unsafe mount("tmpfs", harness.stateDirectory, "tmpfs", 0, "size=1m")
    guard mounted == 0 else {
      print("SKIPPED: \(test): this process may not mount a tmpfs (errno \(errno))")
      return
    }
    defer {
      harness.shutdown()
      unsafe umount(harness.stateDirectory)
    }
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    try body(harness)
  }

  private func fillMostOfDisk(_ path: String) {
    let file = unsafe open(path, O_RDWR | O_CREAT, 0o600)
    #expect(posix_fallocate(file, 0, 600_000) == 0)
    close(file)
  }
}
