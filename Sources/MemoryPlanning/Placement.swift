/// The order in which storage groups are placed.
enum PlacementOrder {
  case bySize, byArea, byFirstStep

  /// Indices of the groups in this order; ties go by first step, then by index.
  func indices(of groups: [StorageGroup]) -> [Int] {
    groups.indices.sorted { a, b in
      let (left, right) = (rank(groups[a]), rank(groups[b]))
      if left != right { return left > right }
      let (first, second) = (groups[a].lifetime.lowerBound, groups[b].lifetime.lowerBound)
      return first != second ? first < second : a < b
    }
  }

  private func rank(_ group: StorageGroup) -> Double {
    switch self {
    case .bySize: Double(group.byteCount)
    case .byArea: Double(group.byteCount) * Double(group.lifetime.count)
    case .byFirstStep: -Double(group.lifetime.lowerBound)
    }
  }
}

/// Offsets of storage groups, found by placing them one after the other into the smallest gap that holds them.
struct Placement {
  private(set) var offsets: [Int]
  private(set) var byteCount = 0

  init(_ groups: [StorageGroup], order: [Int]) {
    offsets = [Int](repeating: 0, count: groups.count)
    var placed: [Int] = []
    for index in order where groups[index].byteCount > 0 {
      let group = groups[index]
      let offset = smallestGap(
        for: group.byteCount,
        between: placed.filter { groups[$0].overlapsInTime(group) }
          .map { offsets[$0]..<offsets[$0] + groups[$0].byteCount })
      offsets[index] = offset
      byteCount = max(byteCount, offset + group.byteCount)
      placed.append(index)
    }
  }

  /// The offset of the smallest gap that holds `byteCount` bytes, else the end of the highest range.
  private func smallestGap(for byteCount: Int, between taken: [Range<Int>]) -> Int {
    var end = 0
    var best: Range<Int>?
    for range in taken.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      let gap = range.lowerBound - end
      if gap >= byteCount, best.map({ gap < $0.count }) ?? true { best = end..<range.lowerBound }
      end = max(end, range.upperBound)
    }
    return best?.lowerBound ?? end
  }
}
