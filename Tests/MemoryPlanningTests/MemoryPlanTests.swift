import MemoryPlanning
import TestSupport
import Testing

@Suite("Memory plan")
struct MemoryPlanTests {
  private func randomRequests(_ random: inout SplitMix64) -> [BufferRequest] {
    let count = Int.random(in: 0...40, using: &random)
    return (0..<count).map { index in
      let first = Int.random(in: 0...30, using: &random)
      let last = first + Int.random(in: 0...8, using: &random)
      let bytes = Int.random(in: 0...(1 << Int.random(in: 0...16, using: &random)), using: &random)
      let other = index > 0 ? Int.random(in: 0..<index, using: &random) : 0
      let sharing: BufferRequest.Sharing =
        switch index > 0 ? Int.random(in: 0...5, using: &random) : 0 {
        case 1: .alias(of: other)
        case 2, 3: .inPlace(of: other)
        default: .none
        }
      return BufferRequest(byteCount: bytes, lifetime: first...last, sharing: sharing)
    }
  }

  /// Whether two requests are allowed to lie on the same bytes while both live.
  private func related(_ requests: [BufferRequest], _ a: Int, _ b: Int) -> Bool {
    func family(_ index: Int) -> Int {
      switch requests[index].sharing {
      case .none: index
      case .alias(let other), .inPlace(let other): family(other)
      }
    }
    return family(a) == family(b)
  }

  @Test("unrelated buffers alive at the same step never overlap", arguments: 0..<400)
  func liveBuffersAreApart(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let requests = randomRequests(&random)
    let plan = try MemoryPlan(requests)
    for a in requests.indices {
      for b in 0..<a where !related(requests, a, b) {
        guard requests[a].lifetime.overlaps(requests[b].lifetime) else { continue }
        let apart =
          plan.offsets[a] + requests[a].byteCount <= plan.offsets[b]
          || plan.offsets[b] + requests[b].byteCount <= plan.offsets[a]
        #expect(apart || requests[a].byteCount == 0 || requests[b].byteCount == 0)
      }
    }
  }

  @Test("the arena holds every buffer, is at least the largest instant and at most the sum", arguments: 0..<400)
  func sizeIsBounded(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let requests = randomRequests(&random)
    let plan = try MemoryPlan(requests)
    #expect(plan.byteCount >= plan.largestInstant)
    #expect(plan.byteCount <= requests.reduce(0) { $0 + MemoryPlan.aligned($1.byteCount) })
    for (request, offset) in zip(requests, plan.offsets) {
      #expect(offset >= 0 && offset % MemoryPlan.alignment == 0)
      #expect(offset + request.byteCount <= plan.byteCount)
    }
  }

  @Test("a buffer written in place never destroys what is still read", arguments: 0..<400)
  func inPlaceKeepsOperands(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let requests = randomRequests(&random)
    let plan = try MemoryPlan(requests)
    for (index, request) in requests.enumerated() {
      guard case .inPlace(let other) = request.sharing, request.byteCount > 0 else { continue }
      guard requests[other].byteCount > 0 else { continue }
      let operand = requests[other].lifetime
      let overlap =
        plan.offsets[index] < plan.offsets[other] + requests[other].byteCount
        && plan.offsets[other] < plan.offsets[index] + request.byteCount
      let conflict =
        operand.overlaps(request.lifetime) && operand.upperBound != request.lifetime.lowerBound
      #expect(!(overlap && conflict))
    }
  }

  @Test("the same requests give the same plan")
  func isDeterministic() throws {
    var random = SplitMix64(seed: 7)
    let requests = randomRequests(&random)
    #expect(try MemoryPlan(requests) == MemoryPlan(requests))
  }

  @Test("a chain of layers needs its two largest neighbours, not the sum")
  func chainReuses() throws {
    let sizes = [1024, 4096, 2048, 512, 64]
    let requests = sizes.enumerated().map {
      BufferRequest(byteCount: $1, lifetime: $0...($0 + 1))
    }
    #expect(try MemoryPlan(requests).byteCount == 4096 + 2048)
  }

  @Test("an alias lies on its source, and keeps it alive")
  func aliasShares() throws {
    let plan = try MemoryPlan([
      BufferRequest(byteCount: 256, lifetime: 0...1),
      BufferRequest(byteCount: 256, lifetime: 1...5, sharing: .alias(of: 0)),
      BufferRequest(byteCount: 256, lifetime: 4...5),
    ])
    #expect(plan.offsets[0] == plan.offsets[1])
    #expect(plan.offsets[2] != plan.offsets[0])
    #expect(plan.byteCount == 512)
  }

  @Test("a result overwrites an operand that is read for the last time")
  func inPlaceReuses() throws {
    let plan = try MemoryPlan([
      BufferRequest(byteCount: 256, lifetime: 0...1),
      BufferRequest(byteCount: 200, lifetime: 1...2, sharing: .inPlace(of: 0)),
    ])
    #expect(plan.offsets == [0, 0])
    #expect(plan.byteCount == 256)
  }

  @Test("a result larger than its operand has storage of its own")
  func inPlaceNeverGrows() throws {
    let plan = try MemoryPlan([
      BufferRequest(byteCount: 64, lifetime: 0...1),
      BufferRequest(byteCount: 65, lifetime: 1...2, sharing: .inPlace(of: 0)),
    ])
    #expect(plan.byteCount == 64 + 128)
  }

  @Test("only one of two results of a step overwrites their operand")
  func inPlaceOnce() throws {
    let plan = try MemoryPlan([
      BufferRequest(byteCount: 64, lifetime: 0...1),
      BufferRequest(byteCount: 64, lifetime: 1...1, sharing: .inPlace(of: 0)),
      BufferRequest(byteCount: 64, lifetime: 1...2, sharing: .inPlace(of: 0)),
    ])
    #expect(plan.offsets[1] == plan.offsets[0])
    #expect(plan.offsets[2] != plan.offsets[0])
  }

  @Test("no buffers need no arena")
  func emptyIsEmpty() throws {
    #expect(try MemoryPlan([]).byteCount == 0)
  }

  @Test("a negative byte count is refused")
  func negativeIsRefused() {
    #expect(throws: PlanningError.byteCountOutOfRange(buffer: 0, byteCount: -1)) {
      try MemoryPlan([BufferRequest(byteCount: -1, lifetime: 0...0)])
    }
  }

  @Test("more buffers than the limit are refused with both numbers")
  func tooManyAreRefused() {
    let limit = MemoryPlan.bufferCountMaximum
    let requests = [BufferRequest](
      repeating: BufferRequest(byteCount: 64, lifetime: 0...0), count: limit + 1)
    #expect(throws: PlanningError.tooManyBuffers(limit: limit, actual: limit + 1)) {
      try MemoryPlan(requests)
    }
  }

  @Test("the largest instant is the largest sum alive at one step", arguments: 0..<100)
  func largestInstantIsExact(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let requests = (0..<20).map { _ in
      let first = Int.random(in: 0...10, using: &random)
      return BufferRequest(
        byteCount: Int.random(in: 0...1000, using: &random),
        lifetime: first...(first + Int.random(in: 0...4, using: &random)))
    }
    let sums = (0...14).map { step in
      requests.filter { $0.lifetime.contains(step) }
        .reduce(0) { $0 + MemoryPlan.aligned($1.byteCount) }
    }
    #expect(try MemoryPlan(requests).largestInstant == sums.max())
  }

  @Test("a reference to a later buffer is refused")
  func laterIsRefused() {
    #expect(throws: PlanningError.sharesLaterBuffer(buffer: 0, other: 0)) {
      try MemoryPlan([BufferRequest(byteCount: 1, lifetime: 0...0, sharing: .alias(of: 0))])
    }
  }
}
