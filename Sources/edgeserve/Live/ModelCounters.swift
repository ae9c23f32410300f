/// What a model's versions have answered since the agent started, as its metrics tell.
struct ModelCounters: Equatable {
  /// Requests that were answered with a result.
  var answered: UInt64 = 0
  /// Requests that ended otherwise.
  var failed: UInt64 = 0
  /// Seconds of answered requests in the queue, and on an instance.
  var queueSeconds = 0.0
  var inferSeconds = 0.0

  /// What came between `earlier` and these; nothing when the agent began anew.
  func since(_ earlier: ModelCounters) -> ModelCounters {
    guard answered >= earlier.answered, failed >= earlier.failed else { return ModelCounters() }
    return ModelCounters(
      answered: answered - earlier.answered, failed: failed - earlier.failed,
      queueSeconds: max(0, queueSeconds - earlier.queueSeconds),
      inferSeconds: max(0, inferSeconds - earlier.inferSeconds))
  }

  /// Microseconds of one answer on the average; nil when there was none.
  var meanMicroseconds: Double? {
    answered == 0 ? nil : (queueSeconds + inferSeconds) / Double(answered) * 1e6
  }

  /// The counters of each model, versions together, from metrics in Prometheus' text format.
  static func read(_ metrics: [UInt8]) -> [String: ModelCounters] {
    var models: [String: ModelCounters] = [:]
    for line in String(decoding: metrics, as: UTF8.self).split(separator: "\n") {
      guard let sample = MetricsSample(line), let model = sample.labels["model"], !model.isEmpty
      else { continue }
      var counters = models[model] ?? ModelCounters()
      switch (sample.name, sample.labels["stage"]) {
      case ("edgeserve_requests_total", _):
        // Counters beyond this are no counters.
        guard (0..<1e18).contains(sample.value) else { continue }
        if sample.labels["outcome"] == "ok" {
          counters.answered &+= UInt64(sample.value)
        } else {
          counters.failed &+= UInt64(sample.value)
        }
      case ("edgeserve_stage_seconds_sum", "queue"): counters.queueSeconds += sample.value
      case ("edgeserve_stage_seconds_sum", "infer"): counters.inferSeconds += sample.value
      default: continue
      }
      models[model] = counters
    }
    return models
  }
}

/// One line of metrics.
struct MetricsSample {
  var name: String
  var labels: [String: String]
  var value: Double

  /// Nil for comments and for what is no sample.
  init?(_ line: Substring) {
    guard line.first != "#", let space = line.lastIndex(of: " "),
      let value = Double(line[line.index(after: space)...]), value.isFinite
    else { return nil }
    let head = line[..<space]
    self.value = value
    guard let brace = head.firstIndex(of: "{") else {
      (name, labels) = (String(head), [:])
      return
    }
    name = String(head[..<brace])
    labels = [:]
    // Values are names of models and codes, which hold no quotes.
    let inside = head[head.index(after: brace)...].dropLast()
    for pair in inside.split(separator: ",") {
      let halves = pair.split(separator: "=", maxSplits: 1)
      guard halves.count == 2 else { return nil }
      labels[String(halves[0])] = String(halves[1].filter { $0 != "\"" })
    }
  }
}
