import KernelInterface
import ModelGraph
import Runtime
import TFLiteImport
import Tensors

/// A version that was read and planned; nothing is allocated for it yet.
struct CandidateVersion: Sendable {
  var source: VersionSource
  var description: VersionDescription
  var plan: Plan
  /// Kept until the version is proven, when requests may be run together.
  var graph: Graph?
  var golden: GoldenProof?
  var warmUp: WarmUpRequests?
  var memory: VersionMemory
  let file: ModelFile
  /// Monotonic nanoseconds when the load began.
  var begun: UInt64

  /// The name that the ledger shows.
  var name: String { "\(source.model)@\(source.version)" }

  var items: [MemoryItem] {
    [
      MemoryItem(.weightsAnonymous, memory.weightsBytes),
      MemoryItem(.weightsFileBacked, memory.fileBackedBytes),
      MemoryItem(.arena, memory.arenaBytes), MemoryItem(.scratch, memory.scratchBytes),
      MemoryItem(.cache, memory.cacheBytes),
      MemoryItem(.loadBuffers, loadBytes),
    ]
  }

  /// What it is charged until it is proven.
  var peakBytes: Int { items.reduce(0) { $0 + $1.bytes } }

  /// One golden vector as recorded, and the outputs that are compared with it, or one request that was
  /// recorded for warm-up.
  private var loadBytes: Int {
    let warmUpBytes = warmUp?.heldBytes(description) ?? 0
    guard golden != nil else { return warmUpBytes }
    let bytes = [description.inputs, description.outputs].map { tensors in
      tensors.reduce(0) { $0 + ($1.type.byteCount ?? 0) }
    }
    return max(warmUpBytes, bytes[0] + 2 * bytes[1])
  }
}

/// Turns a file into a version that can be swapped in, in three steps with the charge between the
/// first two.
struct VersionLoader: Sendable {
  let table: KernelTable
  let threads: Int
  let limits: ServingLimits
  let pool: ComputePool?
  private let ledger: MemoryLedger
  private let cache: WeightsCache?
  private let cacheRefusal: WeightsRefusal

  init(_ configuration: ServingConfiguration, _ ledger: MemoryLedger) {
    self.ledger = ledger
    cache = configuration.weightsCache
    cacheRefusal = configuration.weightsRefusal
    table = configuration.table
    limits = configuration.limits
    pool = configuration.threads > 1 ? ComputePool(threads: configuration.threads) : nil
    threads = pool?.threads ?? 1
  }

  /// Imports and plans. The file is mapped until the version is proven; whatever the version uses
  /// of it later is copied, so that nobody who writes to the file reaches what serves.
  func plan(_ source: VersionSource) throws(LoadFailure) -> CandidateVersion {
    let begun = MonotonicClock.now()
    let file = try ModelFile(path: source.path)
    let graph: Graph
    do throws(TFLiteError) {
      graph = try TFLiteModel.graph(from: file.model)
    } catch {
      throw LoadFailure(error)
    }
    let plan: Plan
    do throws(RuntimeError) {
      plan = try Plan(
        graph, table: table, threads: threads, copiesConstants: true,
        deferredBytes: source.computedShapesBytes)
    } catch {
      throw LoadFailure(error)
    }
    let instances = instanceCount(of: plan, source).count
    return CandidateVersion(
      source: source,
      description: VersionDescription(
        source, graph, inputs: plan.inputs, outputs: plan.outputs, labels: file.labels),
      plan: plan, graph: batchRows(source) > 1 ? graph : nil, golden: file.golden.map(GoldenProof.init),
      warmUp: try WarmUpRequests(beside: source.path),
      memory: VersionMemory(
        weightsBytes: plan.memory.weightsBytes, fileBackedBytes: plan.memory.fileBackedBytes,
        arenaBytes: plan.memory.arenaBytes * instances,
        scratchBytes: plan.memory.scratchBytes * instances,
        cacheBytes: plan.isStateful ? 0 : source.cacheBytes),
      file: file, begun: begun)
  }

  /// Allocates what `charge` pays for.
  func prepare(
    _ candidate: CandidateVersion, _ charge: MemoryCharge
  ) throws(LoadFailure) -> PreparedVersion {
    do throws(RuntimeError) {
      let kept = try weights(of: candidate)
      var memory = candidate.memory
      if kept.file != nil {
        let bytes = kept.weights.mappedBytes
        charge.turn(bytes, of: .weightsAnonymous, into: .weightsFileBacked)
        memory.fileBackedBytes += bytes
        memory.weightsBytes -= bytes
      }
      let model = try PreparedModel(candidate.plan, weights: kept.weights)
      var instances: [InstanceSlot] = []
      let count = instanceCount(of: candidate.plan, candidate.source)
      for _ in 0..<count.count {
        instances.append(InstanceSlot(instance: try Instance(model, pool: pool)))
      }
      return PreparedVersion(
        source: candidate.source, description: candidate.description, memory: memory,
        charge: charge, instances: instances, instanceCount: count, weights: kept,
        medianMicroseconds: 0)
    } catch {
      throw LoadFailure(error)
    }
  }

  /// The packed weights, from a file where there can be one.
  private func weights(of candidate: CandidateVersion) throws(RuntimeError) -> KeptWeights {
    let (plan, source) = (candidate.plan, candidate.source)
    let isSmall = plan.mappableBytes < limits.keptWeightsBytesMinimum
    guard let cache, let place = source.weightsPlace, !isSmall else {
      let refusal = cache == nil ? cacheRefusal : isSmall ? WeightsRefusal.small : .off
      return KeptWeights(weights: try PackedWeights(packing: plan), refusal: refusal)
    }
    return try cache.weights(of: plan, at: place, candidate.file)
  }

  /// Runs the golden vectors and what was recorded for warm-up, then times some runs.
  ///
  /// - Parameter isWanted: asked between runs; the load is given up when it is not.
  func prove(
    _ prepared: PreparedVersion, _ candidate: CandidateVersion,
    while isWanted: @escaping () -> Bool
  ) throws(LoadFailure) -> PreparedVersion {
    if let golden = candidate.golden {
      try golden.run(on: prepared.instances[0], candidate.description)
    } else if candidate.source.requiresProof {
      throw .noGoldenVectors
    }
    try warmUp(prepared.instances[0], candidate, while: isWanted)
    if candidate.plan.isDeferred { try tryShapes(prepared.instances[0], candidate) }
    prepared.charge.release(.loadBuffers)
    // Whoever is served first finds a fresh state, and every instance has its memory.
    defer {
      for slot in prepared.instances.dropFirst() { slot.instance.run() }
      for slot in prepared.instances { slot.instance.reset() }
    }
    var proven = prepared
    proven.medianMicroseconds = measure(prepared.instances[0])
    if let limit = candidate.source.latencyLimitMicroseconds, proven.medianMicroseconds > limit {
      throw .latencyGate(
        medianMicroseconds: proven.medianMicroseconds, limitMicroseconds: limit)
    }
    if candidate.plan.isDeferred {
      // Planning may follow at any time, which is nothing for the thread that others wait for.
      proven.medianMicroseconds = max(proven.medianMicroseconds, limits.inlineThresholdMicroseconds)
    }
    if let graph = candidate.graph {
      proven.take(BatchMaker(self, ledger, proven, name: candidate.name, graph).make())
    }
    guard candidate.file.isIntact else {
      throw .changedWhileLoading(path: candidate.source.path)
    }
    proven.loadNanoseconds = MonotonicClock.now() - candidate.begun
    return proven
  }

  private func warmUp(
    _ slot: InstanceSlot, _ candidate: CandidateVersion, while isWanted: @escaping () -> Bool
  ) throws(LoadFailure) {
    let deadline = MonotonicClock.now() + UInt64(limits.warmUpMilliseconds) * 1_000_000
    try candidate.warmUp?.run(
      on: slot, candidate.description,
      WarmUpRequests.Bounds(
        rowsMaximum: limits.batchMaximum, deadline: deadline, isWanted: isWanted))
  }

  /// Rows of requests that may be run together.
  func batchRows(_ source: VersionSource) -> Int {
    min(source.batchRowsMaximum ?? limits.batchRowsDefault, ServingLimits.batchRowsMaximum)
  }

  /// Instances of a version; one where inferences follow upon each other, so that they share a state.
  private func instanceCount(of plan: Plan, _ source: VersionSource) -> InstanceCount {
    let wanted = source.instances ?? limits.instancesDefault
    return InstanceCount(
      wanted: min(max(1, wanted), ServingLimits.instancesMaximum), isStateful: plan.isStateful)
  }

  /// Runs noise through a model whose shapes follow from values, so that operators which no kernel
  /// computes are found before anybody asks.
  private func tryShapes(
    _ slot: InstanceSlot, _ candidate: CandidateVersion
  ) throws(LoadFailure) {
    var trial = BatchTrial(candidate.description, size: 1)
    for _ in 0..<limits.shapeTrials {
      trial.fill(slot.instance)
      slot.instance.run()
      if case .unsupported(let kernels) = slot.instance.failure {
        throw LoadFailure(RuntimeError.unsupported(kernels))
      }
    }
  }

  /// The median of some runs on whatever the inputs hold, in microseconds, rounded up.
  private func measure(_ slot: InstanceSlot) -> Int {
    var nanoseconds: [UInt64] = []
    let deadline =
      MonotonicClock.now() + UInt64(limits.latencyMeasurementMilliseconds) * 1_000_000
    repeat {
      let start = MonotonicClock.now()
      slot.instance.run()
      nanoseconds.append(MonotonicClock.now() - start)
    } while nanoseconds.count < limits.latencyRuns && MonotonicClock.now() < deadline
    nanoseconds.sort()
    return Int((nanoseconds[nanoseconds.count / 2] + 999) / 1000)
  }
}
