import MQTT
import TestSupport
import Testing

@Suite("MQTT back-off")
struct MQTTBackoffTests {
  @Test("every wait lies between half the minimum and the doubled ceiling")
  func bounds() {
    var random = SplitMix64(seed: 0xBAC0FF)
    for _ in 0..<200 {
      var backoff = MQTTBackoff(minimumMilliseconds: 1000, maximumMilliseconds: 300_000)
      for attempt in 0..<70 {
        let ceiling = attempt > 8 ? 300_000 : min(300_000, 1000 << attempt)
        #expect((500...ceiling).contains(backoff.next(using: &random)))
      }
    }
  }

  @Test("waits of many clients spread over the whole range")
  func jitter() {
    var random = SplitMix64(seed: 7)
    let waits = (0..<1000).map { _ in
      var backoff = MQTTBackoff(minimumMilliseconds: 1000, maximumMilliseconds: 300_000)
      for _ in 0..<9 { _ = backoff.next(using: &random) }
      return backoff.next(using: &random)
    }
    for quarter in 0..<4 {
      let range = quarter * 75_000..<(quarter + 1) * 75_000
      #expect(waits.filter(range.contains).count > 150)
    }
  }

  @Test("a reset starts from the minimum")
  func reset() {
    var random = SplitMix64(seed: 9)
    var backoff = MQTTBackoff(minimumMilliseconds: 10, maximumMilliseconds: 10_000)
    for _ in 0..<20 { _ = backoff.next(using: &random) }
    backoff.reset()
    #expect(backoff.next(using: &random) <= 10)
  }

  @Test("the largest bounds do not overflow")
  func overflow() {
    var random = SplitMix64(seed: 11)
    var backoff = MQTTBackoff(minimumMilliseconds: 1, maximumMilliseconds: .max)
    for _ in 0..<100 { #expect(backoff.next(using: &random) > 0) }
  }
}
