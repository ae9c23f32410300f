/// Rows of `[batch, outer, axis, inner]` picked by `[batch, count]` indices, into `[batch, outer, count, inner]`.
/// 
/// Indices outside the axis are brought to its ends. The maker vouches for the pointers.
@safe package struct GatherArguments {
  package var outer: Int
  package var axis: Int
  package var innerBytes: Int
  /// Indices of one batch.
  package var count: Int
  /// Indices are int64, else int32.
  package var hasWideIndices: Bool
  package var input: UnsafeRawPointer
  package var indices: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    outer: Int, axis: Int, innerBytes: Int, count: Int, hasWideIndices: Bool,
    input: UnsafeRawPointer, indices: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.outer = outer
    self.axis = axis
    self.innerBytes = innerBytes
    self.count = count
    self.hasWideIndices = hasWideIndices
    unsafe self.input = input
    unsafe self.indices = indices
    unsafe self.output = output
  }
}

/// Slices picked by the indices of their first axes; what is outside is brought to the ends.
@safe package struct GatherNDArguments {
  /// Indices of one slice, at most 8.
  package var depth: Int
  package var extents: SIMD8<Int>
  /// In bytes.
  package var strides: SIMD8<Int>
  package var innerBytes: Int
  package var hasWideIndices: Bool
  package var input: UnsafeRawPointer
  package var indices: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    depth: Int, extents: SIMD8<Int>, strides: SIMD8<Int>, innerBytes: Int, hasWideIndices: Bool,
    input: UnsafeRawPointer, indices: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.depth = depth
    self.extents = extents
    self.strides = strides
    self.innerBytes = innerBytes
    self.hasWideIndices = hasWideIndices
    unsafe self.input = input
    unsafe self.indices = indices
    unsafe self.output = output
  }
}

/// One element of `depth` for each index, the others the miss; rows of `[outer, depth, inner]`.
@safe package struct OneHotArguments {
  package var depth: Int
  package var inner: Int
  package var elementBytes: Int
  package var hasWideIndices: Bool
  package var indices: UnsafeRawPointer
  package var hit: UnsafeRawPointer
  package var miss: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    depth: Int, inner: Int, elementBytes: Int, hasWideIndices: Bool, indices: UnsafeRawPointer,
    hit: UnsafeRawPointer, miss: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.depth = depth
    self.inner = inner
    self.elementBytes = elementBytes
    self.hasWideIndices = hasWideIndices
    unsafe self.indices = indices
    unsafe self.hit = hit
    unsafe self.miss = miss
    unsafe self.output = output
  }
}

/// Puts a block into a tensor in place, moved inside where it would reach out.
@safe package struct UpdateSliceArguments {
  /// Of the tensor, right aligned with extent 1 before.
  package var extents: SIMD8<Int>
  package var blockExtents: SIMD8<Int>
  /// The first axis in use.
  package var firstAxis: Int
  package var elementBytes: Int
  package var hasWideIndices: Bool
  package var block: UnsafeRawPointer
  package var starts: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    extents: SIMD8<Int>, blockExtents: SIMD8<Int>, firstAxis: Int, elementBytes: Int,
    hasWideIndices: Bool, block: UnsafeRawPointer, starts: UnsafeRawPointer,
    output: UnsafeMutableRawPointer
  ) {
    self.extents = extents
    self.blockExtents = blockExtents
    self.firstAxis = firstAxis
    self.elementBytes = elementBytes
    self.hasWideIndices = hasWideIndices
    unsafe self.block = block
    unsafe self.starts = starts
    unsafe self.output = output
  }
}

/// A tensor with mirrored margins, axes right aligned as in `StridedCopyArguments`. The range is of output rows.
@safe package struct MirrorArguments {
  /// Of the input.
  package var extents: SIMD8<Int>
  /// Elements of margin before each axis.
  package var before: SIMD8<Int>
  package var outputExtents: SIMD8<Int>
  package var includesEdge: Bool
  package var elementBytes: Int
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    extents: SIMD8<Int>, before: SIMD8<Int>, outputExtents: SIMD8<Int>, includesEdge: Bool,
    elementBytes: Int, input: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.extents = extents
    self.before = before
    self.outputExtents = outputExtents
    self.includesEdge = includesEdge
    self.elementBytes = elementBytes
    unsafe self.input = input
    unsafe self.output = output
  }
}
