import Cryptography
import TestSupport
import Testing

@testable import ModelDelivery

@Suite("Delivery record")
struct DeliveryRecordTests {
  private func installed(_ version: Int64) -> DeliveryRecord.Installed {
    DeliveryRecord.Installed(
      version: version, manifest: SHA256.hash([1]), byteCount: DeliveryLimits.bundleBytes,
      bundle: SHA256.hash([2]))
  }

  private func largest(name: Character) -> (String, DeliveryRecord.Model) {
    var model = DeliveryRecord.Model()
    model.director = .init(rootVersion: .max, sequence: .max, digest: SHA256.hash([3]))
    model.current = installed(.max)
    model.previous = installed(.max - 1)
    // The longest word for what a version is refused by once it is here.
    model.candidate = .init(manifest: SHA256.hash([4]), attempts: 3, cause: .gateMismatch)
    model.releaseSequence = .max
    model.securityFloor = .max
    model.trial = .init(
      errorRate: TrialLimits.rateMaximum, latencyP95: TrialLimits.latencyMaximum)
    model.trial?.hasEndedInOrder = true
    model.trial?.crashes = TrialLimits.crashes
    model.trial?.servedSeconds = TrialLimits.secondsMaximum
    model.trial?.requests = TrialLimits.requestsMaximum
    model.isPinned = true
    return (String(repeating: name, count: 64), model)
  }

  private func full() -> DeliveryRecord {
    var record = DeliveryRecord()
    record.root = [UInt8](repeating: 9, count: 700)
    record.births = .max
    record.time = .max
    record.command = .init(rootVersion: .max, sequence: .max, digest: SHA256.hash([5]))
    record.hold = 253_402_300_799
    record.models = Dictionary(
      uniqueKeysWithValues: "abcdefgh".map { largest(name: $0) })
    return record
  }

  @Test("what is encoded is decoded, empty and full")
  func roundTrip() {
    #expect(DeliveryRecord(DeliveryRecord().encode()) == DeliveryRecord())
    #expect(DeliveryRecord(full().encode()) == full())
  }

  @Test("the fullest record of all models fits a slot of the state file")
  func fits() {
    #expect(full().models.count == DeliveryLimits.models)
    #expect(full().encode().count <= 4096 - 24)
  }

  @Test("no seeded mutation crashes the reader")
  func mutations() {
    var record = DeliveryRecord()
    (record.births, record.time) = (300, 1_800_000_000)
    record.models = Dictionary(uniqueKeysWithValues: [largest(name: "a")])
    let bytes = record.encode()
    var random = SplitMix64(seed: 0x2EC02D)
    for _ in 0..<20_000 {
      var mutated = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        mutated[Int.random(in: 0..<mutated.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        mutated.removeLast(Int.random(in: 0..<mutated.count, using: &random))
      }
      if let record = DeliveryRecord(mutated) {
        #expect(record.models.count <= DeliveryLimits.models)
      }
    }
  }
}

@Suite("Retry")
struct RetryTests {
  @Test("waits double, stay within a quarter of it, and stop at the maximum")
  func bounds() {
    var jitter = Jitter(seed: 5)
    var retry = Retry()
    let now = DeliveryTime(milliseconds: 1_000_000, wallSeconds: 0)
    for attempt in 0..<100 {
      retry.wait(from: now, minimum: 100, maximum: 10_000, &jitter)
      let expected = Int64(attempt > 6 ? 10_000 : min(10_000, 100 << attempt))
      let wait = retry.deadline - now.milliseconds
      #expect((expected * 3 / 4...expected * 5 / 4).contains(wait))
    }
  }
}
