import DeliveryTestSupport
import MQTT
import ModelBundle
import ModelDelivery
import Publishing
import SignedDocuments
import TestSupport
import Testing

@testable import Agent

/// Left out, loudly, where libcurl is not installed.
@Suite("Mirrors over http", .serialized, .enabled(if: HTTPMirror.isAvailable, "libcurl4 is missing"))
struct HTTPMirrorTests {
  /// A device that has a release at the broker and, changed by `change`, on a server.
  private func harness(
    blocks: Int = 12, _ change: (inout [String: FileServer.Manner], SignedRelease) -> Void
      = { _, _ in }
  ) throws -> (harness: DeliveryHarness, server: FileServer, release: SignedRelease) {
    let harness = try DeliveryHarness()
    let release = try harness.release(1, blocks: blocks)
    var files = [String: FileServer.Manner]()
    for (topic, payload) in harness.fleet.retained(release) {
      files["/models/\(topic.name)"] = .whole(payload)
    }
    change(&files, release)
    let server = try FileServer(files)
    harness.mirror = "http://127.0.0.1:\(server.port)/models/"
    try harness.publish(harness.fleet.retained(release))
    try harness.start()
    return (harness, server, release)
  }

  private func path(_ release: SignedRelease, _ block: Int) -> String {
    let topic = Topic.block(
      fleet: release.document.fleet, objectID: release.object.index.objectID, block: block)
    return "/models/\(topic.name)"
  }

  @Test("all but the director's word comes from the server, over one connection")
  func mirrored() throws {
    let (harness, server, release) = try harness()
    defer { server.stop() }
    try harness.publish(try harness.director(release, 1))
    harness.waitForCommit(1)
    #expect(harness.stored(1) == release.document.bundleSHA256)
    #expect(harness.blocksSent(release).allSatisfy { $0 == 0 })
    #expect(server.requests.count == release.object.blocks.count + 2)
    #expect(server.connectionCount == 1)
    #expect(!server.requests.contains { $0.contains("/dir/") || $0.contains("/root/") })
  }

  @Test("what the server does not have comes from the broker, and the rest still from the server")
  func missing() throws {
    let (harness, server, release) = try harness { files, release in
      files[self.path(release, 2)] = nil
      files[self.path(release, 5)] = .status(410)
    }
    defer { server.stop() }
    try harness.publish(try harness.director(release, 1))
    harness.waitForCommit(1)
    let sent = harness.blocksSent(release)
    #expect(sent.indices.filter { sent[$0] > 0 } == [2, 5])
  }

  @Test("a block with wrong bytes is the broker's, and one of any length does no harm")
  func wrong() throws {
    let (harness, server, release) = try harness { files, release in
      files[self.path(release, 3)] = .whole([1, 2, 3])
      files[self.path(release, 7)] = .endless(8 << 20)
    }
    defer { server.stop() }
    try harness.publish(try harness.director(release, 1))
    harness.waitForCommit(1)
    #expect(harness.stored(1) == release.document.bundleSHA256)
    let sent = harness.blocksSent(release)
    #expect(sent[3] == 1 && sent[7] == 1 && sent[0] == 0)
  }

  @Test("redirects are followed, and not for ever")
  func redirects() throws {
    let (harness, server, release) = try harness { files, release in
      files["/elsewhere"] = files[self.path(release, 1)]
      files[self.path(release, 1)] = .redirect("/elsewhere")
      files[self.path(release, 4)] = .redirect(self.path(release, 4))
    }
    defer { server.stop() }
    try harness.publish(try harness.director(release, 1))
    harness.waitForCommit(1)
    let sent = harness.blocksSent(release)
    #expect(sent[1] == 0 && sent[4] == 1)
    #expect(server.requests.count { $0 == self.path(release, 4) } == 4)
  }

  @Test("a server that stalls is left for the broker, and not asked for a while")
  func slow() throws {
    let (harness, server, release) = try harness(blocks: 30) { files, release in
      for block in 0..<30 {
        if case .whole(let bytes)? = files[self.path(release, block)] {
          files[self.path(release, block)] = .stalled(bytes)
        }
      }
    }
    defer { server.stop() }
    try harness.publish(try harness.director(release, 1))
    harness.waitForCommit(1)
    #expect(harness.blocksSent(release).allSatisfy { $0 >= 1 })
    #expect(server.requests.count < 30)
    // It ends at once although a transfer is under way.
    harness.shutdown()
  }

  @Test("a server that is away, or broken, leaves everything to the broker")
  func away() throws {
    let (harness, server, release) = try harness { files, _ in
      for path in files.keys { files[path] = .status(500) }
    }
    try harness.publish(try harness.director(release, 1))
    harness.waitForCommit(1)
    #expect(server.requests.count <= 16)
    server.stop()
    let other = try DeliveryHarness()
    other.mirror = "http://127.0.0.1:\(Broker.freePort())"
    try other.start()
    try other.deliver(try other.release(1), sequence: 1)
    other.waitForCommit(1)
  }

  @Test("a link that may not carry an update does not carry it from a mirror either")
  func metered() throws {
    let (harness, server, release) = try harness()
    defer { server.stop() }
    harness.shutdown()
    harness.meteredBytes = 100_000
    try harness.start()
    try harness.publish(try harness.director(release, 1))
    harness.waitForCause(.metered, stillServing: nil)
    #expect(!server.requests.contains { $0.contains("/o/") })
  }
}
