/// A version that was prepared and proven, and waits to be swapped in.
struct PreparedVersion: Sendable {
  var source: VersionSource
  var description: VersionDescription
  var memory: VersionMemory
  var charge: MemoryCharge
  var instances: [InstanceSlot]
  /// Of one inference on this machine.
  var medianMicroseconds: Int
  /// From the start of the load to its proof.
  var loadNanoseconds: UInt64 = 0
}
