import Cryptography
import DeliveryTestSupport
import Glibc
import KernelDispatch
import Logging
import ModelBundle
import ModelDelivery
import Publishing
import Serving
import SignedDocuments
import Synchronization
import TestSupport
import Testing

@testable import Agent

@Suite("Installation from a file")
struct InstallTests {
  /// Writes what a broker would hold for `release` to a file, changed by `change`.
  private func archive(
    _ harness: DeliveryHarness, _ release: SignedRelease, sequence: Int64,
    name: String = "file.release",
    _ change: (inout [(topic: String, payload: [UInt8])]) -> Void = { _ in }
  ) throws -> String {
    var messages = harness.fleet.retained(release).map { (topic: $0.key.name, payload: $0.value) }
      .sorted { $0.topic < $1.topic }
    messages += try harness.director(release, sequence).map { ($0.key.name, $0.value) }
    change(&messages)
    let bytes =
      ArchiveFormat.magic + messages.flatMap { ArchiveFormat.encode($0.topic, $0.payload) }
      + ArchiveFormat.end
    return try write(harness, name, bytes)
  }

  private func write(_ harness: DeliveryHarness, _ name: String, _ bytes: [UInt8]) throws -> String {
    let path = harness.directory.path + "/" + name
    try replaceFile(path, bytes)
    return path
  }

  private func install(_ harness: DeliveryHarness, _ path: String) throws
    -> Result<InstallReport, InstallRefusal>
  {
    let answer = InstallAnswer()
    let driver = try #require(harness.driver)
    driver.install(path) { result in answer.result.withLock { $0 = result } }
    for _ in 0..<3000 {
      if let result = answer.result.withLock({ $0 }) { return result }
      usleep(10_000)
    }
    Issue.record("no answer")
    return .failure(.shuttingDown)
  }

  private final class InstallAnswer: Sendable {
    let result = Mutex<Result<InstallReport, InstallRefusal>?>(nil)
  }

  @Test("a release is installed with no broker, and kept at the next start")
  func offline() throws {
    let harness = try DeliveryHarness()
    harness.broker.kill()
    try harness.start()
    let release = try harness.release(1, blocks: 12)
    let report = try install(harness, try archive(harness, release, sequence: 1)).get()
    #expect(report.installed && report.serving == 1 && report.cause == nil)
    #expect(harness.stored(1) == release.document.bundleSHA256)
    #expect(harness.current == 1)
    harness.shutdown()
    harness.activations.state.withLock { $0.serving = nil }
    try harness.start()
    #expect(harness.activations.serving == 1)
  }

  @Test("with a broker at hand the file is taken, and the broker's news afterwards")
  func beside() throws {
    let harness = try DeliveryHarness()
    try harness.deliver(try harness.release(1), sequence: 1)
    try harness.start()
    harness.waitForCommit(1)
    let release = try harness.release(2)
    let report = try install(harness, try archive(harness, release, sequence: 2)).get()
    #expect(report.installed && report.serving == 2)
    #expect(harness.blocksSent(release) == [0, 0, 0])
    try harness.deliver(try harness.release(3), sequence: 3)
    harness.waitForCommit(3)
  }

  @Test("what a broker's release would be refused for, a file's is refused for")
  func refusals() throws {
    let harness = try DeliveryHarness()
    harness.broker.kill()
    try harness.start()
    let first = try harness.release(3)
    #expect(try install(harness, try archive(harness, first, sequence: 5)).get().installed)
    let release = try harness.release(4)
    let blockTopic = harness.block(release, 1).name
    let releaseTopic = Topic.release(fleet: harness.fleet.name, model: "digits", sequence: 4).name
    let other = TestFleet(name: harness.fleet.name, seed: 9, expires: harness.now + 86_400)
    let cases:
      [(Cause, Int64, (inout [(topic: String, payload: [UInt8])]) -> Void)] = [
        (.rollback, 4, { _ in }),
        (
          .signature, 6,
          { messages in
            for i in messages.indices where messages[i].topic == releaseTopic {
              messages[i].payload =
                (try? other.sign(release.document, key: other.keys.release)) ?? []
            }
          }
        ),
        (
          .blockHash, 7,
          { messages in
            for i in messages.indices where messages[i].topic == blockTopic {
              messages[i].payload[100] ^= 1
            }
          }
        ),
        (.truncated, 8, { messages in messages.removeAll { $0.topic == blockTopic } }),
      ]
    for (cause, sequence, change) in cases {
      let path = try archive(
        harness, release, sequence: sequence, name: "\(sequence).release", change)
      let report = try install(harness, path).get()
      #expect(!report.installed && report.cause == cause.rawValue, "\(cause)")
      #expect(harness.activations.serving == 3 && harness.current == 3)
    }
    let whole = try archive(harness, release, sequence: 9, name: "whole.release")
    #expect(try install(harness, whole).get().installed)
  }

  @Test("what is no release for this device is refused before anything is taken from it")
  func notForUs() throws {
    let harness = try DeliveryHarness()
    harness.broker.kill()
    try harness.start()
    let release = try harness.release(1)
    let path = try archive(harness, release, sequence: 1)
    let bytes = try #require(try? WholeFile.read(path, maximum: 1 << 20))
    #expect(
      try install(harness, "/nonexistent")
        == .failure(.archive(.unreadable(path: "/nonexistent", errno: ENOENT))))
    let directory = harness.directory.path
    #expect(try install(harness, directory) == .failure(.archive(.notAnArchive(path: directory))))
    let text = try write(harness, "text", Array("something else".utf8))
    #expect(try install(harness, text) == .failure(.archive(.notAnArchive(path: text))))
    // Cut anywhere, it is said to be cut, and nothing crashes.
    for count in stride(from: 17, to: bytes.count, by: 9973) {
      let cut = try write(harness, "cut", Array(bytes.prefix(count)))
      guard case .failure(.archive(.malformed)) = try install(harness, cut) else {
        Issue.record("\(count)")
        continue
      }
    }
    let noDirector = try archive(harness, release, sequence: 1, name: "none") {
      $0.removeAll { $0.topic.contains("/dir/") }
    }
    #expect(
      try install(harness, noDirector)
        == .failure(.archive(.directors(path: noDirector, count: 0))))
    let strange = try archive(harness, release, sequence: 1, name: "strange") { messages in
      for i in messages.indices where messages[i].topic.contains("/dir/") {
        messages[i].topic = "es/1/elsewhere/dir/digits"
      }
    }
    #expect(
      try install(harness, strange)
        == .failure(
          .notForThisDevice(fleet: "elsewhere", model: "digits", models: ["digits"])))
    #expect(harness.current == nil)
  }

  @Test("a directory of state has one agent, and the second is told so")
  func locked() throws {
    let harness = try DeliveryHarness()
    try harness.start()
    let first = harness.driver
    let error = #expect(throws: AgentError.self) { try harness.start() }
    guard case .stateInUse(harness.stateDirectory, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.sentence.contains("in use by") == true)
    first?.shutdown()
    try harness.start()
  }

  @Test("no seeded mutation of a file crashes the reader")
  func mutations() throws {
    let harness = try DeliveryHarness()
    let release = try harness.release(1, blocks: 1)
    let path = try archive(harness, release, sequence: 1) { messages in
      for i in messages.indices { messages[i].payload = Array(messages[i].payload.prefix(40)) }
    }
    let bytes = try #require(try? WholeFile.read(path, maximum: 1 << 20))
    var random = SplitMix64(seed: 0xF11E)
    for _ in 0..<2_000 {
      let mutated = try write(harness, "mutated", bytes.mutated(using: &random))
      guard let archive = try? ReleaseArchive(mutated) else { continue }
      _ = try? archive.director()
      _ = archive.take(harness.block(release, 0).name)
    }
  }
}
