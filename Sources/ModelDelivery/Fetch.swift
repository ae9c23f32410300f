import Cryptography
import ModelBundle
import SignedDocuments

/// A release that the director names and the device accepts.
struct Offer: Sendable, Equatable {
  let release: ReleaseDocument
  /// The signed release message.
  let message: [UInt8]
  /// SHA-256 of the message.
  let manifest: Digest

  var version: Int64 { release.sequence }
}

/// The blocks that are still missing, and the few that are asked for.
struct Fetch: Sendable {
  let offer: Offer
  let index: ObjectIndex
  /// Blocks to ask for, in this order.
  private(set) var missing: [Int]
  /// Blocks asked for and not there yet.
  private(set) var window: [Int] = []
  /// Blocks whose topics are subscribed to.
  private(set) var subscribed: [Int] = []
  /// Whether a block of the window came with wrong bytes.
  var hasBadBlock = false
  /// Whether a block of the window came.
  private(set) var hasProgressed = false
  /// Bytes written since they were last made durable.
  var unsynchronizedBytes = 0
  var retry = Retry()

  init(_ offer: Offer, _ index: ObjectIndex, missing: [Int]) {
    self.offer = offer
    self.index = index
    self.missing = missing
  }

  var isComplete: Bool { missing.isEmpty && window.isEmpty }

  var progressPercent: Int {
    (offer.release.blockCount - missing.count - window.count) * 100 / offer.release.blockCount
  }

  /// Takes the next blocks into the window.
  mutating func openWindow() {
    precondition(window.isEmpty)
    window = Array(missing.prefix(DeliveryLimits.window))
    missing.removeFirst(window.count)
    subscribed = window
    hasBadBlock = false
    hasProgressed = false
  }

  /// Notes that an awaited block is written.
  mutating func received(_ block: Int) {
    window.removeAll { $0 == block }
    hasProgressed = true
  }

  /// Gives up the window: what did not come is asked for last, so that nothing waits behind it.
  mutating func closeWindow() {
    missing += window
    window = []
    subscribed = []
  }
}
