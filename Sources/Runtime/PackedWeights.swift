package import ByteParsing
import MemoryPlanning

/// The packed weights of a plan, which nothing writes any more: all of them in anonymous memory, or those
/// that can be in a mapped file.
@safe package final class PackedWeights: Sendable {
  /// Addresses of weights, by their offsets in the plan.
  ///
  /// Sound while the weights live, for offsets of their plan.
  @safe struct Place {
    fileprivate let mapped: UnsafeRawPointer
    fileprivate let mappedBytes: Int
    fileprivate let others: UnsafeRawPointer

    fileprivate init(mapped: UnsafeRawPointer, mappedBytes: Int, others: UnsafeRawPointer) {
      unsafe self.mapped = mapped
      self.mappedBytes = mappedBytes
      unsafe self.others = others
    }

    /// Weights that all lie behind `start`.
    @unsafe init(all start: UnsafeMutableRawPointer) {
      unsafe self.init(mapped: start, mappedBytes: 0, others: start)
    }

    @unsafe func address(_ offset: Int) -> UnsafeRawPointer {
      unsafe offset < mappedBytes ? mapped + offset : others + (offset - mappedBytes)
    }
  }

  /// What does not lie in the file.
  private let arena: Arena
  private let mapped: ByteView?
  private let torn: @Sendable () -> Bool

  /// Allocates `memory.weightsBytes` of the plan and packs its weights into them.
  package init(packing plan: Plan) throws(RuntimeError) {
    mapped = nil
    torn = { false }
    arena = try Arena(byteCount: plan.memory.weightsBytes)
    pack(plan, after: 0)
  }

  /// Uses `bytes`, which are those that packing the plan gives for what can be mapped, and packs the rest;
  /// nil when their size or place cannot be.
  ///
  /// - Parameter isTorn: see the property.
  package init?(
    mapped bytes: ByteView, for plan: Plan, isTorn: @escaping @Sendable () -> Bool
  ) throws(RuntimeError) {
    guard bytes.count == plan.mappableBytes, bytes.isAligned(to: MemoryPlan.alignment) else {
      return nil
    }
    mapped = bytes
    torn = isTorn
    arena = try Arena(byteCount: plan.memory.weightsBytes - bytes.count)
    pack(plan, after: bytes.count)
  }

  /// Packs what begins at `start` or later to where the arena begins.
  private func pack(_ plan: Plan, after start: Int) {
    for (constant, offset) in zip(plan.packed, plan.program.packedOffsets) where offset >= start {
      // Sound: the plan laid the constants out within the bytes from `start` to the arena's end.
      unsafe constant.write(arena.start + (offset - start))
    }
  }

  /// Whether the storage failed to give some of the bytes, so that zeros are in their place.
  var isTorn: Bool { torn() }

  /// Bytes of anonymous memory that are held.
  package var anonymousBytes: Int { arena.byteCount }
  /// Bytes that lie in a mapped file.
  package var mappedBytes: Int { mapped?.count ?? 0 }

  var place: Place {
    let others = unsafe UnsafeRawPointer(arena.start)
    let file = unsafe mapped.map { unsafe UnsafeRawPointer($0.address(as: UInt8.self)) }
    return unsafe Place(mapped: file ?? others, mappedBytes: mappedBytes, others: others)
  }

  /// Lends the first `count` bytes of weights that lie in anonymous memory.
  ///
  /// - Precondition: there are so many.
  package func withUnsafeBytes<R>(_ count: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    precondition(mapped == nil && count <= arena.byteCount)
    // Sound: the arena has so many bytes, and lives through the call.
    return unsafe body(UnsafeRawBufferPointer(start: arena.start, count: count))
  }
}
