import JSONDocuments
import Pipelines
import Serving

/// Gathers the status document.
struct StatusReport: Sendable {
  let service: InferenceService
  let ledger: MemoryLedger
  let process: ProcessFacts
  let delivery: (any DeliveryService)?
  let stores: LocalStores
  let pipelines: PipelineSet

  func document() -> AgentStatus {
    let statuses = service.modelNames().map { name in
      (name: name, versions: (try? service.statuses(of: name)) ?? [])
    }
    let delivery = delivery?.status()
    let (health, problems) = HealthJudgement.judge(
      statuses, delivery, local: localFacts())
    let steps = pipelines.steps
    let resident = ResidentMemory.ofThisProcess()
    return AgentStatus(
      agent: process.status(), health: health, problems: problems,
      memory: AgentStatus.Memory(
        budgetBytes: ledger.budget == .max ? nil : ledger.budget,
        chargedBytes: ledger.chargedBytes, rssBytes: resident.bytes,
        rssAnonBytes: resident.anonymousBytes),
      models: statuses.map { name, versions in
        AgentStatus.Model(
          name: name, versions: versions.map(AgentStatus.Version.init),
          canary: service.canary(of: name).map(AgentStatus.Canary.init),
          shadow: service.shadow(of: name).map(AgentStatus.Shadow.init),
          pipeline: steps[name].map { steps in
            AgentStatus.Pipeline(
              steps: steps,
              versions: service.compositeStatus(of: name)?.pinned.map(\.text) ?? [])
          })
      },
      delivery: delivery)
  }

  private func localFacts() -> [String: HealthJudgement.LocalFacts] {
    let composed = pipelines.steps.keys.map { name in
      (name, HealthJudgement.LocalFacts(path: "", isHeld: service.declaration(of: name).isHeld))
    }
    let local = Dictionary(
      uniqueKeysWithValues: stores.models.map { name, model in
        let declaration = service.declaration(of: name)
        return (
          name,
          HealthJudgement.LocalFacts(
            path: model.path, labels: declaration.labels, isHeld: declaration.isHeld,
            canary: service.canary(of: name))
        )
      })
    return local.merging(composed) { $1 }
  }

  /// The document as JSON, its keys sorted.
  func json() -> [UInt8] { document().json() }
}

extension AgentStatus {
  package func json() -> [UInt8] {
    // Every value of the document has a JSON form.
    (try? JSONDocument.encode(self)) ?? []
  }

  /// Reads the document of another process.
  package init(json: [UInt8]) throws {
    self = try JSONDocument.decode(AgentStatus.self, from: json)
  }
}

extension AgentStatus.Canary {
  init(_ status: CanaryStatus) {
    self.init(
      version: status.canary.version,
      percent: Double(status.canary.share) * 100 / Double(Canary.shareWhole),
      state: status.reverted == nil ? "running" : "reverted", cause: status.reverted?.code,
      detail: status.reverted?.sentence)
  }
}

extension AgentStatus.Shadow {
  init(_ status: ShadowStatus) {
    self.init(
      version: status.shadow.version,
      percent: Double(status.shadow.share) * 100 / Double(Shadow.shareWhole),
      agreed: status.agreed, differed: status.differed, changedClass: status.changedClass,
      failed: status.failed, shed: status.shed,
      // JSON has no infinity.
      largestDifference: min(status.largestDifference, .greatestFiniteMagnitude))
  }
}

extension AgentStatus.Version {
  init(_ status: VersionStatus) {
    self.init(
      version: status.version, state: status.state.rawValue, labels: status.labels,
      requests: status.requests, errors: status.errors,
      latency: AgentStatus.Latency(
        p50: status.latencyMicroseconds.p50, p95: status.latencyMicroseconds.p95,
        p99: status.latencyMicroseconds.p99),
      memory: AgentStatus.VersionBytes(
        weightsBytes: status.memory.weightsBytes + status.memory.fileBackedBytes,
        weightsFileBytes: status.memory.fileBackedBytes,
        weightsFileRefusal: status.state == .serving ? status.weightsRefusal?.code : nil,
        arenaBytes: status.memory.arenaBytes + status.memory.scratchBytes),
      cause: status.cause?.code,
      batching: status.state == .serving ? AgentStatus.Batching(status.batching) : nil,
      instances: status.state == .serving ? status.instances.count : nil,
      instancesRefusal: status.state == .serving ? status.instances.refusal : nil)
  }
}

extension AgentStatus.Batching {
  init(_ status: BatchingStatus) {
    self.init(
      rows: status.curve.map(\.size), microseconds: status.curve.map(\.microseconds),
      refusal: status.refusal?.code, detail: status.refusal?.phrase)
  }
}
