package import ByteParsing

/// What a model keeps from one inference to the next.
///
/// Within an inference nothing changes: the graph reads `current` and makes `next`, and when the
/// inference is done, the elements of `next` become those that the following one reads.
package struct Variable: Sendable {
  /// The elements before the inference; no node makes it.
  package var current: ValueID
  /// The elements after it; `current` itself when the model never changes them.
  package var next: ValueID
  /// The elements before the first inference; nil when all of their bytes are `fill`.
  package var initial: ByteView?
  /// The byte that fills the elements before the first inference.
  package var fill: UInt8

  package init(current: ValueID, next: ValueID, initial: ByteView? = nil, fill: UInt8 = 0) {
    self.current = current
    self.next = next
    self.initial = initial
    self.fill = fill
  }
}
