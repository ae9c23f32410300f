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
  /// Where its blocks come from.
  var source: ObjectSource

  var version: Int64 { release.sequence }
}

/// An object of a release, and the installed version that it is decoded with.
struct ObjectSource: Sendable, Equatable {
  let object: ReleaseDocument.Object
  /// Nil for the object that needs none.
  let base: DeliveryRecord.Installed?
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
  /// A block that came and waits for its base to be read.
  var undecoded: (block: Int, payload: [UInt8])?
  var retry = Retry()
  /// Since when, in milliseconds of the monotonic clock, and how much came since then.
  private(set) var pace: (since: Int64, bytes: Int64)?

  init(_ offer: Offer, _ index: ObjectIndex, missing: [Int]) {
    self.offer = offer
    self.index = index
    self.missing = missing
  }

  var isComplete: Bool { missing.isEmpty && window.isEmpty }

  /// The first block that the source can give only by a copy that failed; nil when there is none.
  var failedCopy: Int? { offer.source.base == nil ? nil : missing.first(where: index.isCopy) }

  var progressPercent: Int {
    (offer.release.blockCount - missing.count - window.count) * 100 / offer.release.blockCount
  }

  /// When the pace is judged.
  var paceDeadline: Int64 { pace.map { $0.since + DeliveryLimits.paceMilliseconds } ?? .max }

  /// Begins to measure the pace, unless it is measured.
  mutating func beginPace(_ now: DeliveryTime) {
    if pace == nil { pace = (now.milliseconds, 0) }
  }

  /// Notes that so many bytes came.
  mutating func came(_ bytes: Int) { pace?.bytes += Int64(bytes) }

  /// Whether enough came since the measure began; begins the next one.
  mutating func takePace(_ now: DeliveryTime) -> Bool {
    defer { pace = (now.milliseconds, 0) }
    return (pace?.bytes ?? 0) >= DeliveryLimits.paceBytes
  }

  /// Measures no pace while there is nobody to come from.
  mutating func endPace() { pace = nil }

  /// Takes the next blocks into the window.
  mutating func openWindow() {
    precondition(window.isEmpty)
    window = Array(missing.prefix(DeliveryLimits.window(blockSize: offer.release.blockSize)))
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
    undecoded = nil
  }
}
