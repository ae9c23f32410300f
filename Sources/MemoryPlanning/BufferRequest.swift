/// One buffer that a program needs, and for how long.
package struct BufferRequest: Sendable, Equatable {
  /// How a buffer stands to another buffer's storage.
  package enum Sharing: Sendable, Equatable {
    /// Storage of its own.
    case none
    /// The same bytes as the buffer at this index, always; both live as long as either.
    case alias(of: Int)
    /// May overwrite the buffer at this index, if nothing reads that one after this one is first written.
    case inPlace(of: Int)
  }

  /// Bytes of the buffer; 0 takes no storage.
  package var byteCount: Int
  /// The first and the last step that touch the buffer, both included.
  package var lifetime: ClosedRange<Int>
  /// Another buffer, at a lower index, whose storage this one uses or may use.
  package var sharing: Sharing

  package init(byteCount: Int, lifetime: ClosedRange<Int>, sharing: Sharing = .none) {
    self.byteCount = byteCount
    self.lifetime = lifetime
    self.sharing = sharing
  }
}
