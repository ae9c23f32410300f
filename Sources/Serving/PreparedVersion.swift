/// A version that was prepared and proven, and waits to be swapped in.
struct PreparedVersion: Sendable {
  var source: VersionSource
  var description: VersionDescription
  var memory: VersionMemory
  var charge: MemoryCharge
  var instances: [InstanceSlot]
  var instanceCount: InstanceCount
  /// The packed weights and what they lie in.
  var weights: KeptWeights
  /// How requests are run together.
  var batches = Batches()
  /// Of one inference on this machine.
  var medianMicroseconds: Int
  /// From the start of the load to its proof.
  var loadNanoseconds: UInt64 = 0

  /// Runs requests together from now on, where `batches` has programs for it.
  mutating func take(_ batches: consuming Batches) {
    for (index, sizes) in batches.instances.enumerated() { instances[index].batches = sizes }
    batches.instances = []
    // The memory of these is gone with what was just let go.
    for charge in batches.released {
      charge.release(.arena)
      charge.release(.scratch)
    }
    memory.weightsBytes += batches.memory.weightsBytes
    memory.arenaBytes += batches.memory.arenaBytes
    memory.scratchBytes += batches.memory.scratchBytes
    self.batches = batches
  }
}
