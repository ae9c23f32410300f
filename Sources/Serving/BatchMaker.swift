import ModelGraph
import Runtime
import Tensors

/// Makes programs for several rows at once, as long as each is worth its memory: it is planned and
/// charged, shown to answer each row to the byte as it is answered alone, and timed against fewer
/// rows.
struct BatchMaker {
  private let loader: VersionLoader
  private let ledger: MemoryLedger
  private let prepared: PreparedVersion
  private let name: String
  private let graph: Graph

  /// - Parameter graph: that `prepared` was made of.
  init(
    _ loader: VersionLoader, _ ledger: MemoryLedger, _ prepared: PreparedVersion, name: String,
    _ graph: Graph
  ) {
    self.loader = loader
    self.ledger = ledger
    self.prepared = prepared
    self.name = name
    self.graph = graph
  }

  /// One size on the way: what it takes, and how long.
  private struct Size {
    var batch: BatchInstance
    var charge: MemoryCharge
    var bytes: Int { batch.instance.model.memory.instanceBytes }
  }

  func make() -> Batches {
    var batches = Batches()
    let maximum = loader.batchRows(prepared.source)
    var sizes: [Size] = []
    var single = UInt64.max
    do throws(BatchRefusal) {
      var size = 2
      while size <= maximum {
        sizes.append(try worthwhile(size, after: sizes.last, &single))
        size *= 2
      }
      batches.status.refusal = nil
    } catch {
      batches.status.refusal = error
    }
    guard !sizes.isEmpty else { return batches }
    do throws(BatchRefusal) {
      batches.status.curve =
        [(1, microseconds(single))]
        + sizes.map { ($0.batch.size, microseconds($0.batch.nanoseconds)) }
      try settle(sizes, &batches)
    } catch {
      return Batches(status: BatchingStatus(refusal: error))
    }
    return batches
  }

  private func microseconds(_ nanoseconds: UInt64) -> Int { Int((nanoseconds + 999) / 1000) }

  /// A size that is faster for each row than the one before it.
  ///
  /// - Parameter single: the least time of one row, which is timed again beside this size.
  private func worthwhile(
    _ size: Int, after fewer: Size?, _ single: inout UInt64
  ) throws(BatchRefusal) -> Size {
    let many = try planned(size)
    var made = try made(many, size)
    var trial = BatchTrial(prepared.description, size: size)
    let one = prepared.instances[0].instance
    guard trial.agrees(one, made.batch.instance) else { throw .rowsDiffer(size: size) }
    let times = trial.time(one, made.batch.instance, runs: loader.limits.batchRuns)
    made.charge.release(.loadBuffers)
    made.batch.nanoseconds = times.many
    single = min(single, times.one)
    let before = Double(fewer?.batch.nanoseconds ?? single) / Double(fewer?.batch.size ?? 1)
    let gain = 1 - Double(loader.limits.batchGainMinimum) / 1000
    guard Double(times.many) / Double(size) <= before * gain,
      times.many <= UInt64(loader.limits.batchMicrosecondsMaximum) * 1000
    else { throw .noGain(size: size) }
    return made
  }

  private func planned(_ size: Int) throws(BatchRefusal) -> Plan {
    let many = try graph.batched(rows: size)
    do throws(RuntimeError) {
      return try Plan(many, table: loader.table, threads: loader.threads, copiesConstants: true)
    } catch {
      throw .unplanned(size: size)
    }
  }

  /// Charges and allocates what `plan` takes; weights that are the same as those of one row are
  /// shared with it.
  private func made(_ plan: Plan, _ size: Int) throws(BatchRefusal) -> Size {
    let base = prepared.instances[0].instance.model
    do throws(RuntimeError) {
      let comparison = try charge([MemoryItem(.loadBuffers, plan.largestConstantBytes)])
      let isShared = try base.holdsWeights(of: plan)
      comparison.release()
      let tensors = prepared.description.inputs + prepared.description.outputs
      let rowBytes = tensors.reduce(0) { $0 + ($1.type.byteCount ?? 0) }
      let charge = try charge([
        MemoryItem(.weightsAnonymous, isShared ? 0 : plan.memory.weightsBytes),
        MemoryItem(.arena, plan.memory.arenaBytes), MemoryItem(.scratch, plan.memory.scratchBytes),
        MemoryItem(.loadBuffers, 2 * size * rowBytes),
      ])
      let model = try PreparedModel(plan, sharing: isShared ? base : nil)
      let instance = try Instance(model, pool: loader.pool)
      return Size(
        batch: BatchInstance(size: size, nanoseconds: 0, instance: instance), charge: charge)
    } catch .outOfMemory(let byteCount) {
      throw .overBudget(needed: byteCount, available: ledger.availableBytes)
    } catch {
      throw .unplanned(size: size)
    }
  }

  private func charge(_ items: [MemoryItem]) throws(RuntimeError) -> MemoryCharge {
    do throws(MemoryRefusal) {
      return try ledger.charge("\(name) batches", items)
    } catch {
      throw .outOfMemory(byteCount: error.needed)
    }
  }

  /// Lets every size of a slot work in the memory of the largest, and gives back what each had.
  private func settle(_ sizes: [Size], _ batches: inout Batches) throws(BatchRefusal) {
    guard let largest = sizes.indices.max(by: { sizes[$0].bytes < sizes[$1].bytes }) else { return }
    let memory = sizes[largest].batch.instance.model.memory
    let others = prepared.instances.count - 1
    do throws(RuntimeError) {
      for slot in prepared.instances.indices {
        if slot == 1 {
          batches.charges.append(
            try charge([
              MemoryItem(.arena, memory.arenaBytes * others),
              MemoryItem(.scratch, memory.scratchBytes * others),
            ]))
        }
        let model = sizes[largest].batch.instance.model
        let host =
          slot == 0 ? sizes[largest].batch.instance : try Instance(model, pool: loader.pool)
        var instances: [BatchInstance] = []
        for (index, size) in sizes.enumerated() {
          var batch = size.batch
          batch.instance =
            index == largest
            ? host : try Instance(size.batch.instance.model, pool: loader.pool, within: host)
          instances.append(batch)
        }
        batches.instances.append(instances)
      }
    } catch .outOfMemory(let byteCount) {
      throw .overBudget(needed: byteCount, available: ledger.availableBytes)
    } catch {
      throw .unplanned(size: sizes[largest].batch.size)
    }
    batches.memory = VersionMemory(
      weightsBytes: sizes.reduce(0) { $0 + $1.batch.instance.model.allocatedBytes },
      arenaBytes: memory.arenaBytes * (others + 1),
      scratchBytes: memory.scratchBytes * (others + 1))
    batches.charges += sizes.map(\.charge)
    batches.released = sizes.indices.filter { $0 != largest }.map { sizes[$0].charge }
  }
}
