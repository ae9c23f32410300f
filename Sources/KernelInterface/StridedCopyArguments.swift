/// Copies elements into consecutive places, through up to eight axes of the input; the maker vouches for the pointers.
@safe package struct StridedCopyArguments {
  /// Outermost first; unused axes come first, with extent 1.
  package var extents: SIMD8<Int>
  /// Bytes of the input from one index to the next; 0 repeats.
  package var strides: SIMD8<Int>
  package var elementBytes: Int
  /// The element of index 0 of every axis.
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    extents: SIMD8<Int>, strides: SIMD8<Int>, elementBytes: Int, input: UnsafeRawPointer,
    output: UnsafeMutableRawPointer
  ) {
    self.extents = extents
    self.strides = strides
    self.elementBytes = elementBytes
    unsafe self.input = input
    unsafe self.output = output
  }
}
