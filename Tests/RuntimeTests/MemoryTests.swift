import CAllocationCounter
import KernelDispatch
import KernelInterface
import Runtime
import Tensors
import TestSupport
import Testing

@Suite("Memory of a model", .serialized)
struct MemoryTests {
  static let models: [String] =
    [Fixtures.digitsModel(), Fixtures.floatDigitsModel, Fixtures.halfPlusTwoModel]
    + SharedModels.paths(under: "mlperf_tiny")

  @Test("preparing allocates exactly what the plan says", arguments: models)
  func allocatesAsPlanned(path: String) throws {
    let running = try RunningModel(path, .best, threads: 2)
    #expect(running.model.allocatedBytes == running.plan.memory.weightsBytes)
    #expect(running.instance.allocatedBytes == running.plan.memory.instanceBytes)
    let needs = running.plan.memory
    #expect(
      needs.peakBytes
        == needs.weightsBytes + needs.fileBackedBytes + needs.arenaBytes + needs.scratchBytes)
  }

  @Test("the arena holds at least the inputs and outputs that no constant is", arguments: models)
  func arenaHoldsEndpoints(path: String) throws {
    let running = try RunningModel(path, .best)
    let largest = (running.plan.inputs + running.plan.outputs).map { $0.type.byteCount ?? 0 }.max()
    #expect(running.plan.memory.arenaBytes >= largest ?? 0)
  }

  /// What `body` cost this thread: requests to the heap, and pages faulted in.
  private func cost(_ body: () -> Void) -> (allocations: Int, faults: Int) {
    let (count, faulted) = (cac_thread_allocation_count(), cac_thread_minor_fault_count())
    body()
    return (
      Int(cac_thread_allocation_count() - count), Int(cac_thread_minor_fault_count() - faulted)
    )
  }

  @Test("an inference allocates nothing and faults no page in", arguments: models, [1, 3])
  func inferenceAllocatesNothing(path: String, threads: Int) throws {
    try #require(cac_is_counting(), "a sanitizer owns the allocator")
    let running = try RunningModel(path, .best, threads: threads)
    let inputs = running.noise(seed: 1)
    running.write(inputs)
    running.instance.run()
    let (allocations, faults) = cost {
      for _ in 0..<20 { running.instance.run() }
    }
    #expect(allocations == 0)
    #expect(faults == 0)
  }

  @Test("the counter counts: an array is seen")
  func counterCounts() throws {
    try #require(cac_is_counting(), "a sanitizer owns the allocator")
    var array: [Int] = []
    #expect(cost { array = [Int](repeating: 1, count: 1000) }.allocations > 0)
    #expect(array.count == 1000)
  }
}
