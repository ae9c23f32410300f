import Serving
import TestSupport
import Testing

@Suite("Latency histogram")
struct LatencyHistogramTests {
  @Test("is zero when nothing was recorded")
  func empty() {
    #expect(LatencyHistogram().quantile(0.99) == 0)
  }

  @Test("gives a bound at most an eighth above the value", arguments: [0.5, 0.95, 0.99])
  func accuracy(quantile: Double) {
    var random = SplitMix64(seed: 0x5EED)
    var histogram = LatencyHistogram()
    let values = (0..<20_000).map { _ in
      UInt64.random(in: 0..<(1 << UInt64.random(in: 1..<38, using: &random)), using: &random)
    }
    for value in values { histogram.record(nanoseconds: value) }
    let exact = values.sorted()[Int((quantile * Double(values.count)).rounded(.up)) - 1]
    let bound = histogram.quantile(quantile)
    #expect(bound >= exact)
    #expect(Double(bound) <= Double(exact) * 1.125)
  }

  @Test("keeps the longest duration in its last bucket")
  func saturation() {
    var histogram = LatencyHistogram()
    histogram.record(nanoseconds: .max)
    #expect(histogram.quantile(0.5) > 1 << 39)
  }
}
