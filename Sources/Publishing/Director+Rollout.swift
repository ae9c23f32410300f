import Cryptography
package import SignedDocuments

/// The steps of a rollout, each one director document.
extension DirectorDocument {
  /// Begins to bring `target` to a part of the devices; what was the target becomes the fallback.
  package mutating func startRollout(
    of target: Reference, percent: Int64, cohortLabels: [String], spreadSeconds: Int64,
    salt: [UInt8], allowsDown: Bool, meteredBytes: Int64? = nil
  ) throws(PublishingError) {
    guard target != self.target || stage == nil else {
      throw .alreadyTarget(version: target.sequence)
    }
    if target.sequence < self.target.sequence && !allowsDown {
      throw .versionNotAbove(published: self.target.sequence, requested: target.sequence)
    }
    if target != self.target { fallback = self.target }
    self.target = target
    self.percent = percent
    self.cohortLabels = cohortLabels
    self.spreadSeconds = spreadSeconds
    self.salt = salt
    self.allowsDown = allowsDown
    self.meteredBytes = meteredBytes
    stage = 1
    isPaused = false
  }

  /// Widens the rollout; devices that are in stay in.
  package mutating func advance(to percent: Int64) throws(PublishingError) {
    guard let stage else { throw .noRollout(model: model) }
    guard percent > self.percent else {
      throw .percentNotAbove(now: self.percent, requested: percent)
    }
    self.percent = percent
    self.stage = stage + 1
  }

  /// Ends the rollout: everyone is to run the fallback.
  package mutating func abort() throws(PublishingError) {
    guard let fallback else { throw .noFallback(model: model) }
    target = fallback
    self.fallback = nil
    everyoneAtOnce()
    allowsDown = true
  }

  /// Names another release for everyone, older ones too.
  package mutating func rollBack(to target: Reference) {
    if target != self.target { fallback = self.target }
    self.target = target
    everyoneAtOnce()
    allowsDown = true
  }

  private mutating func everyoneAtOnce() {
    percent = DirectorDocument.everyone
    cohortLabels = []
    spreadSeconds = 0
    meteredBytes = nil
    stage = nil
    isPaused = false
  }

  /// The next of the usual stages: 1, 10, 50 and 100 percent.
  package var nextPercent: Int64? { Self.stages.first { $0 > percent } }

  private static let stages: [Int64] = [100, 1_000, 5_000, everyone]
}

/// The SHA-256 of a signed message.
func digest(_ message: [UInt8]) -> Digest { SHA256.hash(message) }
