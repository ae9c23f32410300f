import Runtime
import Tensors

/// A program for several rows at once, in an instance of its own.
struct BatchInstance: Sendable {
  /// Rows of one run.
  var size: Int
  /// The least time of a run, as it was measured when the version was loaded.
  var nanoseconds: UInt64
  var instance: Instance
}

/// How requests for a version are run together, as status shows it.
package struct BatchingStatus: Sendable, Equatable {
  /// Rows of one run and the microseconds that it took when the version was loaded; the least
  /// first, one row among them. Empty when requests are not run together.
  package var curve: [(size: Int, microseconds: Int)] = []
  /// Why requests are not run together, or not more of them.
  package var refusal: BatchRefusal?

  package init(refusal: BatchRefusal? = .off) { self.refusal = refusal }

  package static func == (left: BatchingStatus, right: BatchingStatus) -> Bool {
    left.refusal == right.refusal && left.curve.elementsEqual(right.curve, by: ==)
  }
}

/// The programs for several rows at once of each slot, and what pays for them.
struct Batches: Sendable {
  /// For each slot, the smallest size first; empty when requests are not run together.
  var instances: [[BatchInstance]] = []
  var charges: [MemoryCharge] = []
  /// Of `charges`, those whose activations work in the memory of another.
  var released: [MemoryCharge] = []
  /// What the charges pay for.
  var memory = VersionMemory()
  var status = BatchingStatus()
}

/// Rows of jobs, in their order, cut into runs.
struct BatchRows {
  /// One row: which job's, and which of its own.
  struct Row {
    var job: Int
    var row: Int
  }

  private var rows: [Row] = []
  private var next = 0

  init(_ jobs: [Job]) {
    for (index, job) in jobs.enumerated() {
      for row in 0..<job.plan.rows { rows.append(Row(job: index, row: row)) }
    }
  }

  /// The next rows: as many as the largest of `sizes` that they fill, else one.
  ///
  /// - Parameter sizes: rise.
  mutating func take(_ sizes: [BatchInstance]) -> (rows: ArraySlice<Row>, batch: Int?)? {
    let left = rows.count - next
    guard left > 0 else { return nil }
    let batch = sizes.lastIndex { $0.size <= left }
    let count = batch.map { sizes[$0].size } ?? 1
    defer { next += count }
    return (rows[next..<next + count], batch)
  }
}
