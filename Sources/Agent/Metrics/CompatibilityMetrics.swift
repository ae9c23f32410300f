import Serving

/// A server whose metrics are shown under its own names too, for dashboards that know them.
package enum MetricsCompatibility: String, Sendable, CaseIterable {
  case tensorFlowServing = "tensorflow_serving"
  case triton

  init(name: String) throws(AgentError) {
    guard let known = MetricsCompatibility(rawValue: name) else {
      throw .invalidValue(
        key: "metrics_compatibility", value: name,
        expected: Self.allCases.map(\.rawValue).joined(separator: ", "))
    }
    self = known
  }
}

/// What both servers count, of every version that is known.
struct CompatibilityMetrics {
  let statuses: [VersionStatus]
  let switches: SwitchCounters

  func write(_ servers: [MetricsCompatibility], to text: inout PrometheusText) {
    for server in MetricsCompatibility.allCases where servers.contains(server) {
      switch server {
      case .tensorFlowServing: tensorFlowServing(&text)
      case .triton: triton(&text)
      }
    }
  }

  // MARK: TensorFlow Serving

  /// Microseconds: 10 times the powers of 1.8, as the server has them.
  private static let bounds: [Double] = (0..<33).reduce(into: []) { bounds, _ in
    bounds.append((bounds.last ?? 10 / 1.8) * 1.8)
  }

  /// By model, for the server does not tell versions apart.
  private var models: [(name: String, statuses: [VersionStatus])] {
    Dictionary(grouping: statuses, by: \.model).sorted { $0.key < $1.key }
      .map { (name: $0.key, statuses: $0.value) }
  }

  private func tensorFlowServing(_ text: inout PrometheusText) {
    let prefix = ":tensorflow:serving:"
    text.family(prefix + "request_count", .counter, "Requests by the name of their status.")
    for (model, statuses) in models {
      var counts: [String: UInt64] = [:]
      for (outcome, count) in statuses.flatMap(\.outcomes) {
        counts[Self.statusName(outcome), default: 0] += count
      }
      for (status, count) in counts.sorted(by: { $0.key < $1.key }) {
        text.sample(
          prefix + "request_count", [("model_name", model), ("status", status)], count)
      }
    }
    let name = prefix + "request_latency"
    text.family(name, .histogram, "Microseconds of answered requests.")
    for (model, statuses) in models {
      var latency = LatencyHistogram()
      var nanoseconds: UInt64 = 0
      for status in statuses {
        latency.add(status.latency)
        nanoseconds += status.stages.values.reduce(0) { $0 + $1.sumNanoseconds }
      }
      let sums = latency.cumulative(upTo: Self.bounds.map { UInt64($0 * 1000) })
      let labels = [("model_name", model)]
      for (bound, sum) in zip(Self.bounds, sums) {
        text.sample(name + "_bucket", labels + [("le", "\(bound)")], sum)
      }
      text.sample(name + "_bucket", labels + [("le", "+Inf")], latency.total)
      text.sample(name + "_sum", labels, Double(nanoseconds) / 1000)
      text.sample(name + "_count", labels, latency.total)
    }
    text.family(prefix + "request_example_count_total", .counter, "Rows that were answered.")
    for (model, statuses) in models {
      text.sample(
        prefix + "request_example_count_total", [("model", model)],
        statuses.reduce(0) { $0 + $1.rows })
    }
    let attempts = ":tensorflow:cc:saved_model:load_attempt_count"
    text.family(attempts, .counter, "Attempts to load a version.")
    for (key, count) in switches.all where key.result != "restored" {
      let status = key.result == "ok" ? "success" : key.result
      text.sample(attempts, [("model_path", key.model), ("status", status)], count)
    }
  }

  /// The canonical name of the code that a client sees.
  private static func statusName(_ outcome: RequestOutcome) -> String {
    switch outcome {
    case .ok: "OK"
    case .invalid: "INVALID_ARGUMENT"
    case .deadline: "DEADLINE_EXCEEDED"
    case .cancelled: "CANCELLED"
    case .queueFull, .notReady, .shuttingDown: "UNAVAILABLE"
    case .overMemory: "RESOURCE_EXHAUSTED"
    }
  }

  // MARK: Triton

  private func triton(_ text: inout PrometheusText) {
    counter("nv_inference_request_success", "Answered requests.", &text) {
      $0.outcomes[.ok] ?? 0
    }
    text.family("nv_inference_request_failure", .counter, "Failed requests by reason.")
    for (labels, statuses) in versions {
      for reason in ["REJECTED", "CANCELED", "OTHER"] {
        let count = statuses.flatMap(\.outcomes)
          .filter { Self.reason($0.key) == reason }.reduce(0) { $0 + $1.value }
        text.sample("nv_inference_request_failure", labels + [("reason", reason)], count)
      }
    }
    counter("nv_inference_count", "Rows that were answered.", &text) { $0.rows }
    counter("nv_inference_exec_count", "Runs of the model.", &text) { $0.outcomes[.ok] ?? 0 }
    counter("nv_inference_request_duration_us", "Time of answered requests.", &text) { status in
      status.stages.values.reduce(0) { $0 + $1.sumNanoseconds } / 1000
    }
    for (name, stage) in [("queue", RequestStage.queue), ("compute_infer", .infer)] {
      counter("nv_inference_\(name)_duration_us", "Time of answered requests in it.", &text) {
        ($0.stages[stage]?.sumNanoseconds ?? 0) / 1000
      }
    }
    text.family("nv_inference_pending_request_count", .gauge, "Requests that wait.")
    for (labels, statuses) in versions {
      text.sample(
        "nv_inference_pending_request_count", labels,
        UInt64(statuses.reduce(0) { $0 + $1.waiting }))
    }
    text.family("nv_model_load_duration_secs", .gauge, "How long a version took to load.")
    for (labels, statuses) in versions {
      let nanoseconds = statuses.map(\.loadNanoseconds).max() ?? 0
      text.sample("nv_model_load_duration_secs", labels, Double(nanoseconds) / 1e9)
    }
  }

  private static func reason(_ outcome: RequestOutcome) -> String {
    switch outcome {
    case .ok: ""
    case .queueFull, .deadline, .overMemory, .notReady, .shuttingDown: "REJECTED"
    case .cancelled: "CANCELED"
    case .invalid: "OTHER"
    }
  }

  /// One number may be there twice: one load serves while a former one drains.
  private var versions: [(labels: [(String, String)], statuses: [VersionStatus])] {
    models.flatMap { model, statuses in
      Dictionary(grouping: statuses, by: \.version).sorted { $0.key < $1.key }
        .map { ([("model", model), ("version", "\($0.key)")], $0.value) }
    }
  }

  private func counter(
    _ name: String, _ help: String, _ text: inout PrometheusText,
    _ value: (VersionStatus) -> UInt64
  ) {
    text.family(name, .counter, help)
    for (labels, statuses) in versions {
      text.sample(name, labels, statuses.reduce(0) { $0 + value($1) })
    }
  }
}
