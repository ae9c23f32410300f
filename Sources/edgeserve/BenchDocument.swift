import Runtime

/// What `bench` measured, as it prints it in JSON.
struct BenchDocument: Encodable {
  struct Latency: Encodable {
    var min: Double
    var p50: Double
    var p90: Double
    var p99: Double
    var mean: Double

    /// Microseconds of a run that took these nanoseconds; at least one.
    init(_ nanoseconds: [UInt64]) {
      let sorted = nanoseconds.sorted().map { Double($0) / 1000 }
      func quantile(_ share: Double) -> Double {
        let position = Double(sorted.count - 1) * share
        let below = Int(position)
        let above = Swift.min(below + 1, sorted.count - 1)
        return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
      }
      min = sorted[0]
      p50 = quantile(0.5)
      p90 = quantile(0.9)
      p99 = quantile(0.99)
      mean = sorted.reduce(0, +) / Double(sorted.count)
    }
  }

  struct Operator: Encodable {
    var name: String
    var kernel: String
    var output: String
    /// Mean of one run.
    var microseconds: Double
    /// Of the time of all operators, 0 to 1.
    var share: Double
    var macs: Int
    var macsPerSecond: Double
    var bytes: Int

    enum CodingKeys: String, CodingKey {
      case name, kernel, output, share, macs, bytes
      case microseconds = "us"
      case macsPerSecond = "macs_per_second"
    }
  }

  var model: String
  var threads: Int
  var kernels: String
  var runs: Int
  var latency: Latency
  var prepareMilliseconds: Double
  var memory: MemoryDocument
  var operators: [Operator]?

  enum CodingKeys: String, CodingKey {
    case model, threads, kernels, runs, memory, operators
    case latency = "latency_us"
    case prepareMilliseconds = "prepare_ms"
  }
}

extension BenchDocument.Operator {
  /// One entry for each step, from the nanoseconds that so many runs took together.
  static func list(
    _ steps: [StepDescription], nanoseconds: [UInt64], runs: Int
  ) -> [BenchDocument.Operator] {
    let total = Double(max(nanoseconds.reduce(0, +), 1))
    return zip(steps, nanoseconds).map { step, spent in
      let one = Double(spent) / Double(runs)
      return BenchDocument.Operator(
        name: step.operatorName, kernel: step.kernelName, output: step.outputName,
        microseconds: one / 1000, share: Double(spent) / total, macs: step.multiplyAccumulates,
        macsPerSecond: one > 0 ? Double(step.multiplyAccumulates) / one * 1e9 : 0,
        bytes: step.byteCount)
    }
  }
}
