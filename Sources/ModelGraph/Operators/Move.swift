/// A rearrangement: every element of the output is one element of the input.
///
/// Inputs: the data, then what the case names, as constant int32 or int64 vectors.
package enum Move: Sendable, Equatable {
  /// Operand 1: for each axis of the output, the axis of the input.
  case transpose
  /// Operands 1 and 2: where each axis begins, and how long it is, −1 for the rest.
  case slice
  /// Operands 1, 2 and 3: where each axis begins and ends, and its step.
  case stridedSlice(StridedSlice)
  /// One of `count` equal parts. Operand 1: the axis.
  case part(index: Int, count: Int)
  /// The part at `index`. Operands 1 and 2: the extents of all parts, one of them −1 for the rest,
  /// and the axis.
  case unequalPart(index: Int)
  /// The elements at one index of an axis, which goes away.
  case element(index: Int, axis: Int)
  /// Operand 1: how often each axis is repeated.
  case tile
  /// Operand 1: the shape to stretch to.
  case broadcast
  /// Blocks of height and width become channels.
  case spaceToDepth(block: Int)
  /// Channels become blocks of height and width.
  case depthToSpace(block: Int)
  /// Operand 1: the axes whose order turns round.
  case reverse
  /// Blocks of the axes after the first become batches. Operands 1 and, optionally, 2: the block's
  /// extents, and what to pad each of its axes with before.
  case spaceToBatch
  /// Batches become blocks of the axes after the first. Operands 1 and, optionally, 2: the block's
  /// extents, and what to crop from each of its axes after.
  case batchToSpace
}

/// What a strided slice does beyond its operands; bit `i` of a mask is the operands' element `i`.
package struct StridedSlice: Sendable, Equatable {
  package var beginMask: Int
  package var endMask: Int
  package var ellipsisMask: Int
  package var newAxisMask: Int
  package var shrinkAxisMask: Int
  /// Ends count from the begins.
  package var endsAreOffsets: Bool

  package init(
    beginMask: Int = 0, endMask: Int = 0, ellipsisMask: Int = 0, newAxisMask: Int = 0,
    shrinkAxisMask: Int = 0, endsAreOffsets: Bool = false
  ) {
    self.beginMask = beginMask
    self.endMask = endMask
    self.ellipsisMask = ellipsisMask
    self.newAxisMask = newAxisMask
    self.shrinkAxisMask = shrinkAxisMask
    self.endsAreOffsets = endsAreOffsets
  }
}

/// The canonical form of every `Move`: a walk through the input in the output's order.
///
/// Output element `(i₀ … iₙ)` over `extents` is input element `offset + Σ iₖ · strides[k]`. Input: the
/// data. The output has the same elements in another shape.
package struct StridedCopy: Sendable, Equatable {
  package var extents: [Int]
  /// In elements; 0 repeats, a negative one goes backwards.
  package var strides: [Int]
  package var offset: Int

  package init(extents: [Int], strides: [Int], offset: Int = 0) {
    self.extents = extents
    self.strides = strides
    self.offset = offset
  }

  /// Neighbouring axes that the input passes in one stride, joined; no axis of extent 1.
  package var coalesced: StridedCopy {
    var result = StridedCopy(extents: [], strides: [], offset: offset)
    for (extent, stride) in zip(extents, strides) where extent != 1 {
      if let last = result.strides.last, last == extent * stride {
        result.extents[result.extents.count - 1] *= extent
        result.strides[result.strides.count - 1] = stride
      } else {
        result.extents.append(extent)
        result.strides.append(stride)
      }
    }
    return result
  }

  /// Whether the elements keep their order and there are none between them.
  package var isContiguous: Bool {
    let axes = coalesced
    return axes.extents.isEmpty || (axes.extents.count == 1 && axes.strides[0] == 1)
  }
}
