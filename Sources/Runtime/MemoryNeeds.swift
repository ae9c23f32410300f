/// What a model needs, in bytes, known before anything is allocated.
package struct MemoryNeeds: Sendable, Equatable {
  /// Anonymous memory of the packed weights, shared by all instances.
  package var weightsBytes: Int
  /// Constants that are used from the mapped file: clean pages, shared and evictable.
  package var fileBackedBytes: Int
  /// Activations and variables of one instance.
  package var arenaBytes: Int
  /// Of these, what is set aside for plans that are made when the values are known that shapes follow
  /// from.
  package var deferredBytes = 0
  /// Working space of the kernels of one instance, all threads together.
  package var scratchBytes: Int

  package init(
    weightsBytes: Int, fileBackedBytes: Int, arenaBytes: Int, deferredBytes: Int = 0,
    scratchBytes: Int
  ) {
    self.weightsBytes = weightsBytes
    self.fileBackedBytes = fileBackedBytes
    self.arenaBytes = arenaBytes
    self.deferredBytes = deferredBytes
    self.scratchBytes = scratchBytes
  }

  /// Anonymous bytes that each instance adds.
  package var instanceBytes: Int { arenaBytes + scratchBytes }

  /// All bytes of a model with one instance.
  package var peakBytes: Int { weightsBytes + fileBackedBytes + instanceBytes }
}
