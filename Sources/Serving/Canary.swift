/// A version that gets a share of the requests that name none, and what it is held to.
package struct Canary: Sendable, Equatable {
  package var version: Int64
  /// Of ten thousand requests; keys and connections fall to it or not for good.
  package var share: Int
  package var rules: CanaryRules

  /// The share that is all requests.
  package static let shareWhole = 10_000

  package init(version: Int64, share: Int, rules: CanaryRules = CanaryRules()) {
    self.version = version
    self.share = share
    self.rules = rules
  }

  /// Whether requests of `affinity` fall to the canary; raising the share takes nobody from it.
  func takes(_ affinity: UInt64) -> Bool { Int(affinity % UInt64(Self.shareWhole)) < share }
}

/// When a canary is taken back.
package struct CanaryRules: Sendable, Equatable {
  /// By how much its share of failed requests may exceed that of the stable version, 0 to 1.
  package var errorRateMaximum = 0.05
  /// How many times the 99th percentile of the stable version its own may be.
  package var latencyRatioMaximum = 2.0
  /// The time that is looked back upon; between a half and the whole of it.
  package var windowSeconds = 60
  /// Requests of a version within the window before it is judged, or is a measure.
  package var requestsMinimum = 50

  package init() {}
}

/// Why a canary was taken back.
package enum CanaryCause: Sendable, Equatable {
  /// Shares of failed requests, 0 to 1.
  case errorRate(canary: Double, stable: Double)
  /// 99th percentiles in microseconds.
  case latency(canary: Int, stable: Int)

  package var code: String {
    switch self {
    case .errorRate: "error-rate"
    case .latency: "latency-p99"
    }
  }

  /// One sentence for people.
  package var sentence: String {
    switch self {
    case .errorRate(let canary, let stable):
      "\(Self.percent(canary)) % of its requests failed, and \(Self.percent(stable)) % of the "
        + "stable version's."
    case .latency(let canary, let stable):
      "its 99th percentile is \(canary) us, and the stable version's \(stable) us."
    }
  }

  private static func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

/// How a canary does.
package struct CanaryStatus: Sendable, Equatable {
  package var canary: Canary
  /// Why it gets no requests any more; nil while it does.
  package var reverted: CanaryCause?
}
