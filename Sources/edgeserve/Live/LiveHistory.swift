/// What each model answered in the last minute, second by second.
struct LiveHistory {
  /// Looks that are kept.
  static let lengthMaximum = 60

  /// One look: what came since the one before.
  struct Look {
    var seconds: Double
    var models: [String: ModelCounters]
  }

  private(set) var looks: [Look] = []
  private var last: (seconds: Double, models: [String: ModelCounters])?

  /// Adds what the agent tells now.
  ///
  /// - Parameter seconds: of a clock that only goes forward.
  mutating func append(_ models: [String: ModelCounters], at seconds: Double) {
    if let last, seconds > last.seconds {
      let gained = models.reduce(into: [String: ModelCounters]()) { result, model in
        // A model that was not there before begins with nothing.
        result[model.key] = model.value.since(last.models[model.key] ?? ModelCounters())
      }
      looks.append(Look(seconds: seconds - last.seconds, models: gained))
      looks.removeFirst(max(0, looks.count - Self.lengthMaximum))
    }
    last = (seconds, models)
  }

  /// Answered requests per second of a model, the oldest look first.
  func rates(of model: String) -> [Double] {
    looks.map { Double($0.models[model]?.answered ?? 0) / $0.seconds }
  }

  /// Microseconds per answer, the oldest look first; zero where there was none.
  func latencies(of model: String) -> [Double] {
    looks.map { $0.models[model]?.meanMicroseconds ?? 0 }
  }
}

/// Numbers as a line of bars.
enum Sparkline {
  private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// The last `width` values between zero and the greatest of them; blanks where there are fewer.
  static func text(_ values: [Double], width: Int) -> String {
    let shown = values.suffix(width)
    let greatest = shown.max() ?? 0
    let line = shown.map { value -> Character in
      guard greatest > 0, value > 0 else { return bars[0] }
      return bars[min(bars.count - 1, Int(value / greatest * Double(bars.count)))]
    }
    return String(repeating: " ", count: width - line.count) + String(line)
  }
}
