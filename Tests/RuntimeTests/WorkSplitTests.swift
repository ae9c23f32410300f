import Testing

@testable import Runtime

@Suite("Work split")
struct WorkSplitTests {
  @Test("cheap work stays on one thread")
  func cheapStaysWhole() {
    let split = WorkSplit(units: 1000, costNanoseconds: WorkSplit.costWorthSharing - 1)
    #expect(split.unitsPerTask(threads: 4) == 1000)
  }

  @Test("tasks begin at multiples of the tile")
  func tilesAreKept() {
    let split = WorkSplit(units: 1000, multiple: 6, costNanoseconds: 1_000_000)
    #expect(split.unitsPerTask(threads: 4) % 6 == 0)
    #expect(split.unitsPerTask(threads: 4) < 1000)
  }

  @Test("one thread gets everything")
  func oneThreadIsWhole() {
    let split = WorkSplit(units: 1000, costNanoseconds: 1_000_000)
    #expect(split.unitsPerTask(threads: 1) == 1000)
  }

  @Test("no units are no tasks, and no trap")
  func emptyIsAllowed() {
    #expect(WorkSplit(units: 0, costNanoseconds: 0).unitsPerTask(threads: 4) == 1)
  }
}
