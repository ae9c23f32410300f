/// Where each buffer of a program lies in one arena.
///
/// Finding the smallest arena is NP-hard (it is two-dimensional strip packing with fixed columns), so the plan is
/// greedy, in the way that Pisarchyk and Lee found best for neural networks, "by size":
///
/// 1. Buffers that use the same bytes become one group: a reshaped value and its source always; a result that may
///    overwrite its operand when the operand is not read again. A group lives from its first buffer's first step to
///    its last buffer's last.
/// 2. Groups are taken from the largest to the smallest: the large ones decide the height of the arena, the small
///    ones fill the gaps that they leave.
/// 3. A group is laid into the smallest gap that holds it between the groups already placed that live at the same
///    time, else above them. Groups that never live together may hold the same bytes.
///
/// If the result is larger than the largest sum of bytes alive at one step, below which no plan can be, the same
/// placement is tried in two more orders, bytes × steps and first step, and the smallest arena wins.
///
/// Source: Pisarchyk, Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020 (arXiv:2001.03288).
package struct MemoryPlan: Sendable, Equatable {
  /// Every offset and the whole are multiples of this: a cache line, and the widest vector.
  package static let alignment = 64
  /// The largest buffer that is planned; sums of a graph's buffers then cannot overflow.
  package static let byteCountMaximum = 1 << 40

  /// The most buffers that are planned; placing them takes time with their square.
  package static let bufferCountMaximum = 1 << 14

  /// The byte offset of each request, in the order of the requests.
  package let offsets: [Int]
  /// Bytes of the whole arena.
  package let byteCount: Int
  /// The largest sum of bytes alive at one step, each rounded up to the alignment: no plan can be smaller.
  package let largestInstant: Int

  /// Plans the requests; the same requests always give the same plan.
  package init(_ requests: [BufferRequest]) throws(PlanningError) {
    guard requests.count <= MemoryPlan.bufferCountMaximum else {
      throw .tooManyBuffers(limit: MemoryPlan.bufferCountMaximum, actual: requests.count)
    }
    let storage = try StorageGroups(requests)
    let sized = storage.groups.map {
      StorageGroup(byteCount: MemoryPlan.aligned($0.byteCount), lifetime: $0.lifetime)
    }
    largestInstant = MemoryPlan.largestInstant(sized)
    var best = Placement(sized, order: PlacementOrder.bySize.indices(of: sized))
    for order in [PlacementOrder.byArea, .byFirstStep] where best.byteCount > largestInstant {
      let candidate = Placement(sized, order: order.indices(of: sized))
      if candidate.byteCount < best.byteCount { best = candidate }
    }
    offsets = storage.groupOfBuffer.map { best.offsets[$0] }
    byteCount = best.byteCount
  }

  /// The byte count rounded up to the alignment.
  package static func aligned(_ byteCount: Int) -> Int {
    (byteCount + alignment - 1) / alignment * alignment
  }

  private static func largestInstant(_ groups: [StorageGroup]) -> Int {
    var changes: [(step: Int, byteCount: Int)] = []
    for group in groups {
      changes.append((group.lifetime.lowerBound, group.byteCount))
      changes.append((group.lifetime.upperBound + 1, -group.byteCount))
    }
    // What ends before a step is gone before what begins with it comes.
    changes.sort { ($0.step, $0.byteCount) < ($1.step, $1.byteCount) }
    var (alive, largest) = (0, 0)
    for change in changes {
      alive += change.byteCount
      largest = max(largest, alive)
    }
    return largest
  }
}
