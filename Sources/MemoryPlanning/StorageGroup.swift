/// Buffers that use the same bytes, one after the other or as aliases; placed as one.
struct StorageGroup {
  var byteCount: Int
  var lifetime: ClosedRange<Int>
  /// The first step of the buffer that joined last.
  var newestFirstStep: Int

  init(byteCount: Int, lifetime: ClosedRange<Int>) {
    self.byteCount = byteCount
    self.lifetime = lifetime
    newestFirstStep = lifetime.lowerBound
  }

  func overlapsInTime(_ other: StorageGroup) -> Bool { lifetime.overlaps(other.lifetime) }
}

/// The storage groups of a list of requests, and the group of each request.
struct StorageGroups {
  private(set) var groups: [StorageGroup] = []
  private(set) var groupOfBuffer: [Int] = []

  init(_ requests: [BufferRequest]) throws(PlanningError) {
    let joined = try StorageGroups.aliasesJoined(requests)
    for (index, request) in requests.enumerated() {
      switch request.sharing {
      case .alias(let other):
        groupOfBuffer.append(groupOfBuffer[other])
      case .inPlace(let other) where isTakenOver(groupOfBuffer[other], by: joined[index]):
        let group = groupOfBuffer[other]
        let lifetime = groups[group].lifetime
        groups[group].lifetime = lifetime.lowerBound...joined[index].lifetime.upperBound
        groups[group].newestFirstStep = joined[index].lifetime.lowerBound
        groupOfBuffer.append(group)
      case .inPlace, .none:
        groups.append(joined[index])
        groupOfBuffer.append(groups.count - 1)
      }
    }
  }

  /// Whether the storage fits the group and begins at the very step that the group ends with.
  private func isTakenOver(_ group: Int, by storage: StorageGroup) -> Bool {
    storage.byteCount > 0 && storage.byteCount <= groups[group].byteCount
      && groups[group].lifetime.upperBound == storage.lifetime.lowerBound
      && groups[group].newestFirstStep < storage.lifetime.lowerBound
  }

  /// For each request that is no alias, its bytes and lifetime stretched over all of its aliases.
  private static func aliasesJoined(
    _ requests: [BufferRequest]
  ) throws(PlanningError) -> [StorageGroup] {
    var joined: [StorageGroup] = []
    var root: [Int] = []
    for (index, request) in requests.enumerated() {
      guard request.byteCount >= 0, request.byteCount <= MemoryPlan.byteCountMaximum else {
        throw .byteCountOutOfRange(buffer: index, byteCount: request.byteCount)
      }
      joined.append(StorageGroup(byteCount: request.byteCount, lifetime: request.lifetime))
      switch request.sharing {
      case .none: root.append(index)
      case .inPlace(let other):
        guard other < index else { throw .sharesLaterBuffer(buffer: index, other: other) }
        root.append(index)
      case .alias(let other):
        guard other < index else { throw .sharesLaterBuffer(buffer: index, other: other) }
        root.append(root[other])
        joined[root[other]].stretch(over: joined[index])
      }
    }
    return joined
  }
}

extension StorageGroup {
  fileprivate mutating func stretch(over other: StorageGroup) {
    byteCount = max(byteCount, other.byteCount)
    lifetime =
      min(lifetime.lowerBound, other.lifetime.lowerBound)...max(
        lifetime.upperBound, other.lifetime.upperBound)
  }
}
