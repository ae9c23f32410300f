import Serving

/// A canary as the configuration and the admin socket have it.
struct CanaryDocument: Codable {
  let canary: Canary

  private enum Key: String, CodingKey, CaseIterable {
    case version, percent, error_percent, latency_p99_ratio, window_seconds, requests_minimum
  }

  init(_ canary: Canary) { self.canary = canary }

  init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: Key.self)
    let place = decoder.codingPath.map { $0.stringValue + "." }.joined()
    func number(_ key: Key, _ range: ClosedRange<Double>, _ usual: Double?) throws -> Double {
      let given = try values.decodeIfPresent(Double.self, forKey: key)
      guard let value = given ?? usual else {
        return try values.decode(Double.self, forKey: key)
      }
      guard range.contains(value) else {
        throw AgentError.invalidValue(
          key: place + key.rawValue, value: "\(value)",
          expected: "\(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    var rules = CanaryRules()
    rules.errorRateMaximum =
      try number(.error_percent, 0...100, rules.errorRateMaximum * 100) / 100
    rules.latencyRatioMaximum =
      try number(.latency_p99_ratio, 1...1_000_000, rules.latencyRatioMaximum)
    rules.windowSeconds = Int(
      try number(.window_seconds, 1...86_400, Double(rules.windowSeconds)))
    rules.requestsMinimum = Int(
      try number(.requests_minimum, 1...1_000_000, Double(rules.requestsMinimum)))
    let percent = try number(.percent, 0...100, nil)
    canary = Canary(
      version: try values.decode(Int64.self, forKey: .version),
      share: Int((percent / 100 * Double(Canary.shareWhole)).rounded()), rules: rules)
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(canary.version, forKey: .version)
    try values.encode(
      Double(canary.share) * 100 / Double(Canary.shareWhole), forKey: .percent)
    try values.encode(canary.rules.errorRateMaximum * 100, forKey: .error_percent)
    try values.encode(canary.rules.latencyRatioMaximum, forKey: .latency_p99_ratio)
    try values.encode(canary.rules.windowSeconds, forKey: .window_seconds)
    try values.encode(canary.rules.requestsMinimum, forKey: .requests_minimum)
  }
}
