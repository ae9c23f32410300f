import Serving
import Transport

/// Gathers what Prometheus scrapes.
///
/// Labels hold names of models, numbers of versions and codes; never anything that a client sent.
struct MetricsReport: Sendable {
  let status: StatusReport
  let switches: SwitchCounters
  let limiter: RateLimiter
  let refusals: TransportRefusals
  let requestLog: RequestLog?
  /// Servers whose names are used too.
  let compatibility: [MetricsCompatibility]

  func response() -> HTTPResponse {
    HTTPResponse(
      status: 200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
      body: text())
  }

  /// Answers where TensorFlow Serving has its metrics, for the data socket.
  func route(
    _ request: HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void
  ) -> Bool {
    guard request.path == "/monitoring/prometheus/metrics", request.method == "GET" else {
      return false
    }
    respond(response())
    return true
  }

  func text() -> [UInt8] {
    let service = status.service
    let statuses = service.modelNames().map { (try? service.statuses(of: $0)) ?? [] }
    // One number may be there twice: one load serves while a former one drains.
    let versions = statuses.flatMap { statuses in
      statuses.reduce(into: [VersionCounters]()) { list, status in
        if list.last?.version == status.version {
          list[list.count - 1].add(status)
        } else {
          list.append(VersionCounters(status))
        }
      }
    }
    var text = PrometheusText()
    requests(versions, &text)
    transport(&text)
    stages(versions, &text)
    batches(versions, &text)
    memory(versions, &text)
    lifeCycle(versions, &text)
    canaries(&text)
    shadows(&text)
    delivery(&text)
    CompatibilityMetrics(statuses: statuses.flatMap(\.self), switches: switches)
      .write(compatibility, to: &text)
    if let requestLog {
      let name = "edgeserve_request_log_dropped_total"
      text.family(name, .counter, "Requests that were not written down, for too many waited.")
      text.sample(name, [], requestLog.dropped)
    }
    let facts = status.process.status()
    text.family("edgeserve_build_info", .gauge, "What this program is; always 1.")
    text.sample(
      "edgeserve_build_info",
      [("version", facts.version), ("arch", Self.architecture), ("simd", facts.kernels)], UInt64(1))
    text.family("edgeserve_uptime_seconds", .gauge, "Since the agent started.")
    text.sample("edgeserve_uptime_seconds", [], UInt64(facts.uptimeSeconds))
    return text.bytes
  }

  private func requests(_ versions: [VersionCounters], _ text: inout PrometheusText) {
    let name = "edgeserve_requests_total"
    text.family(
      name, .counter, "Requests by how they ended; without a version, those that found none.")
    for version in versions {
      for outcome in RequestOutcome.allCases {
        guard let count = version.outcomes[outcome] else { continue }
        text.sample(name, version.labels + [("outcome", outcome.rawValue)], count)
      }
    }
    if limiter.isLimiting {
      text.sample(
        name, [("model", ""), ("version", ""), ("outcome", "rate_limited")], limiter.refused)
    }
    let unresolved = status.service.unresolvedOutcomes()
    for outcome in RequestOutcome.allCases {
      guard let count = unresolved[outcome] else { continue }
      text.sample(
        name, [("model", ""), ("version", ""), ("outcome", outcome.rawValue)], count)
    }
  }

  private func transport(_ text: inout PrometheusText) {
    let name = "edgeserve_transport_refused_total"
    text.family(name, .counter, "What was refused before a model was asked, by reason.")
    for (kind, counter) in [("http", refusals.http), ("grpc", refusals.grpc)] {
      let counts = counter.all
      for reason in RefusalCounter.Reason.allCases {
        guard let count = counts[reason] else { continue }
        text.sample(name, [("protocol", kind), ("reason", reason.rawValue)], count)
      }
    }
  }

  private func stages(_ versions: [VersionCounters], _ text: inout PrometheusText) {
    let name = "edgeserve_stage_seconds"
    text.family(name, .histogram, "Time of answered requests in each stage.")
    for version in versions {
      for stage in RequestStage.allCases {
        guard let histogram = version.stages[stage], histogram.count > 0 else { continue }
        let labels = version.labels + [("stage", stage.rawValue)]
        var sum: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
          sum += count
          let bounds = DurationHistogram.boundsMicroseconds
          let bound = index < bounds.count ? "\(Double(bounds[index]) / 1e6)" : "+Inf"
          text.sample(name + "_bucket", labels + [("le", bound)], sum)
        }
        text.sample(name + "_sum", labels, Double(histogram.sumNanoseconds) / 1e9)
        text.sample(name + "_count", labels, sum)
      }
    }
  }

  private func batches(_ versions: [VersionCounters], _ text: inout PrometheusText) {
    text.family("edgeserve_runs_total", .counter, "Runs of a model, by the rows of each.")
    for version in versions {
      for (rows, run) in version.runs.sorted(by: { $0.key < $1.key }) {
        text.sample("edgeserve_runs_total", version.labels + [("rows", "\(rows)")], run.count)
      }
    }
    text.family(
      "edgeserve_batch_rows_maximum", .gauge, "Rows that requests are run together in at most.")
    for version in versions where version.states.contains(.serving) {
      text.sample("edgeserve_batch_rows_maximum", version.labels, UInt64(version.batchRows))
    }
    text.family(
      "edgeserve_instances", .gauge, "Requests of a version that are run side by side at most.")
    for version in versions where version.states.contains(.serving) {
      text.sample("edgeserve_instances", version.labels, UInt64(version.instances))
    }
  }

  private func memory(_ versions: [VersionCounters], _ text: inout PrometheusText) {
    let snapshot = status.ledger.snapshot()
    text.family("edgeserve_memory_bytes", .gauge, "Bytes that each version is charged.")
    for version in versions where version.memory.totalBytes > 0 {
      let memory = version.memory
      for (kind, bytes) in [
        ("weights", memory.weightsBytes + memory.fileBackedBytes), ("arena", memory.arenaBytes),
        ("scratch", memory.scratchBytes), ("cache", memory.cacheBytes),
      ] {
        text.sample("edgeserve_memory_bytes", version.labels + [("kind", kind)], UInt64(bytes))
      }
    }
    text.family("edgeserve_cache_total", .counter, "Requests looked for among kept answers.")
    for version in versions where version.cacheHits + version.cacheMisses > 0 {
      for (result, count) in [("hit", version.cacheHits), ("miss", version.cacheMisses)] {
        text.sample("edgeserve_cache_total", version.labels + [("result", result)], count)
      }
    }
    text.family("edgeserve_memory_charged_bytes", .gauge, "Bytes charged, the agent's own with them.")
    text.sample("edgeserve_memory_charged_bytes", [], UInt64(snapshot.chargedBytes))
    if snapshot.budgetBytes != .max {
      text.family("edgeserve_memory_budget_bytes", .gauge, "Bytes granted.")
      text.sample("edgeserve_memory_budget_bytes", [], UInt64(snapshot.budgetBytes))
    }
    text.family("edgeserve_memory_refused_total", .counter, "Charges that the budget did not hold.")
    text.sample("edgeserve_memory_refused_total", [], snapshot.refusals)
    text.family("edgeserve_resident_memory_bytes", .gauge, "Resident bytes of the process.")
    text.sample("edgeserve_resident_memory_bytes", [], UInt64(ResidentMemory.ofThisProcess().bytes))
  }

  private func lifeCycle(_ versions: [VersionCounters], _ text: inout PrometheusText) {
    text.family("edgeserve_model_state", .gauge, "1 for the states that a version is in.")
    for version in versions {
      for state in version.states {
        text.sample(
          "edgeserve_model_state", version.labels + [("state", state.rawValue)], UInt64(1))
      }
    }
    text.family("edgeserve_load_seconds", .gauge, "How long a version took to load and prove.")
    for version in versions where version.loadNanoseconds > 0 {
      text.sample(
        "edgeserve_load_seconds", version.labels, Double(version.loadNanoseconds) / 1e9)
    }
    text.family("edgeserve_swap_total", .counter, "Attempts to bring a version into service.")
    for (key, count) in switches.all {
      text.sample(
        "edgeserve_swap_total", [("model", key.model), ("result", key.result)], count)
    }
  }

  private func canaries(_ text: inout PrometheusText) {
    text.family(
      "edgeserve_canary_weight", .gauge, "The share of requests that a canary gets, 0 to 1.")
    for model in status.service.modelNames() {
      guard let state = status.service.canary(of: model) else { continue }
      let share = state.reverted == nil ? state.canary.share : 0
      text.sample(
        "edgeserve_canary_weight",
        [("model", model), ("version", "\(state.canary.version)")],
        Double(share) / Double(Canary.shareWhole))
    }
    text.family("edgeserve_rollback_total", .counter, "Canaries taken back, by cause.")
    for (key, count) in switches.rollbacks {
      text.sample(
        "edgeserve_rollback_total", [("model", key.model), ("cause", key.result)], count)
    }
  }

  private func shadows(_ text: inout PrometheusText) {
    let name = "edgeserve_shadow_total"
    text.family(name, .counter, "Requests of a shadow's share, by how its answers compare.")
    for model in status.service.modelNames() {
      guard let state = status.service.shadow(of: model) else { continue }
      for (result, count) in [
        ("agreed", state.agreed), ("differed", state.differed),
        ("changed_class", state.changedClass), ("failed", state.failed), ("shed", state.shed),
      ] {
        text.sample(
          name,
          [("model", model), ("version", "\(state.shadow.version)"), ("result", result)], count)
      }
    }
  }

  private func delivery(_ text: inout PrometheusText) {
    guard let delivery = status.delivery?.status() else { return }
    text.family("edgeserve_mqtt_connected", .gauge, "Whether the broker is connected.")
    text.sample("edgeserve_mqtt_connected", [], UInt64(delivery.connected ? 1 : 0))
  }

  private static var architecture: String {
    #if arch(arm64)
      "aarch64"
    #else
      "x86_64"
    #endif
  }
}

/// The counters of one version number, over all loads of it that are known.
private struct VersionCounters {
  let version: Int64
  let labels: [(String, String)]
  var outcomes: [RequestOutcome: UInt64] = [:]
  var stages: [RequestStage: DurationHistogram] = [:]
  var memory = VersionMemory()
  var cacheHits: UInt64 = 0
  var cacheMisses: UInt64 = 0
  var runs: [Int: RunCount] = [:]
  var batchRows = 1
  var instances = 1
  var states: [VersionState] = []
  var loadNanoseconds: UInt64 = 0

  init(_ status: VersionStatus) {
    version = status.version
    labels = [("model", status.model), ("version", "\(status.version)")]
    add(status)
  }

  mutating func add(_ status: VersionStatus) {
    outcomes.merge(status.outcomes) { $0 + $1 }
    stages.merge(status.stages) { $0.merged(with: $1) }
    memory.weightsBytes += status.memory.weightsBytes
    memory.fileBackedBytes += status.memory.fileBackedBytes
    memory.arenaBytes += status.memory.arenaBytes
    memory.scratchBytes += status.memory.scratchBytes
    memory.cacheBytes += status.memory.cacheBytes
    for (rows, run) in status.runs {
      runs[rows, default: RunCount()].count += run.count
      runs[rows, default: RunCount()].nanoseconds += run.nanoseconds
    }
    batchRows = max(batchRows, status.batching.curve.last?.size ?? 1)
    instances = max(instances, status.instances.count)
    cacheHits += status.cacheHits
    cacheMisses += status.cacheMisses
    if !states.contains(status.state) { states.append(status.state) }
    loadNanoseconds = max(loadNanoseconds, status.loadNanoseconds)
  }
}
