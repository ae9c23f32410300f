import CVector
import KernelInterface

/// An index as read, brought into `0 ..< extent`.
@inline(__always)
@unsafe private func boundedIndex(
  _ indices: UnsafeRawPointer, _ place: Int, isWide: Bool, extent: Int
) -> Int {
  let index = unsafe isWide
    ? Int(truncatingIfNeeded: indices.load(fromByteOffset: 8 &* place, as: Int64.self))
    : Int(indices.load(fromByteOffset: 4 &* place, as: Int32.self))
  return index < 0 ? 0 : index < extent ? index : extent &- 1
}

/// Picks rows by index; `rows` counts `[batch, outer, count]`.
func gather(_ arguments: GatherArguments, _ rows: Range<Int>) {
  var row = rows.lowerBound
  // Sound: indices are bounded, everything else is vouched for by the maker of the arguments.
  while row < rows.upperBound {
    let block = row / arguments.count
    let place = block / arguments.outer &* arguments.count &+ row % arguments.count
    let index = unsafe boundedIndex(
      arguments.indices, place, isWide: arguments.hasWideIndices, extent: arguments.axis)
    unsafe cv_copy(
      arguments.output + row &* arguments.innerBytes,
      arguments.input + (block &* arguments.axis &+ index) &* arguments.innerBytes,
      arguments.innerBytes)
    row &+= 1
  }
}

/// Picks slices by the indices of their first axes.
func gatherND(_ arguments: GatherNDArguments, _ rows: Range<Int>) {
  var row = rows.lowerBound
  // Sound: as for `gather`.
  while row < rows.upperBound {
    var offset = 0
    var axis = 0
    while axis < arguments.depth {
      let index = unsafe boundedIndex(
        arguments.indices, row &* arguments.depth &+ axis, isWide: arguments.hasWideIndices,
        extent: arguments.extents[axis])
      offset &+= index &* arguments.strides[axis]
      axis &+= 1
    }
    unsafe cv_copy(
      arguments.output + row &* arguments.innerBytes, arguments.input + offset,
      arguments.innerBytes)
    row &+= 1
  }
}

/// One hit among misses; `rows` counts `[outer, depth]`.
func oneHot(_ arguments: OneHotArguments, _ rows: Range<Int>) {
  let size = arguments.elementBytes
  var row = rows.lowerBound
  // Sound: the maker of the arguments vouches for the pointers.
  while row < rows.upperBound {
    let (outer, depth) = (row / arguments.depth, row % arguments.depth)
    var i = 0
    while i < arguments.inner {
      let place = outer &* arguments.inner &+ i
      let index = unsafe arguments.hasWideIndices
        ? Int(arguments.indices.load(fromByteOffset: 8 &* place, as: Int64.self))
        : Int(arguments.indices.load(fromByteOffset: 4 &* place, as: Int32.self))
      unsafe cv_copy(
        arguments.output + (row &* arguments.inner &+ i) &* size,
        index == depth ? arguments.hit : arguments.miss, size)
      i &+= 1
    }
    row &+= 1
  }
}

/// Puts a block into a tensor, moved inside where it would reach out.
func updateSlice(_ arguments: UpdateSliceArguments) {
  var strides = SIMD8<Int>()
  var (stride, offset, rows) = (arguments.elementBytes, 0, 1)
  var axis = 7
  // Sound: starts are bounded so that the block lies inside; the maker vouches for the rest.
  while axis >= 0 {
    strides[axis] = stride
    if axis >= arguments.firstAxis {
      let start = unsafe boundedIndex(
        arguments.starts, axis &- arguments.firstAxis, isWide: arguments.hasWideIndices,
        extent: arguments.extents[axis] &- arguments.blockExtents[axis] &+ 1)
      offset &+= start &* stride
    }
    if axis < 7 { rows &*= arguments.blockExtents[axis] }
    stride &*= arguments.extents[axis]
    axis &-= 1
  }
  let rowBytes = arguments.blockExtents[7] &* arguments.elementBytes
  var place = RowPlace(arguments.blockExtents, strides, at: 0)
  var row = 0
  while row < rows {
    unsafe cv_copy(
      arguments.output + (offset &+ place.offset), arguments.block + row &* rowBytes, rowBytes)
    place.advance()
    row &+= 1
  }
}

/// A tensor with mirrored margins; `rows` counts the output's indices of all axes but the last.
func mirror(_ arguments: MirrorArguments, _ rows: Range<Int>) {
  let size = arguments.elementBytes
  let columns = arguments.outputExtents[7]
  var row = rows.lowerBound
  // Sound: mirrored indices stay inside the input, whose extents the amounts were checked against.
  while row < rows.upperBound {
    var (rest, offset, stride) = (row, 0, arguments.extents[7])
    var axis = 6
    while axis >= 0 {
      let index = mirrored(
        rest % arguments.outputExtents[axis] &- arguments.before[axis], arguments.extents[axis],
        arguments.includesEdge)
      rest /= arguments.outputExtents[axis]
      offset &+= index &* stride
      stride &*= arguments.extents[axis]
      axis &-= 1
    }
    var column = 0
    while column < columns {
      let index = mirrored(
        column &- arguments.before[7], arguments.extents[7], arguments.includesEdge)
      unsafe cv_copy(
        arguments.output + (row &* columns &+ column) &* size,
        arguments.input + (offset &+ index) &* size, size)
      column &+= 1
    }
    row &+= 1
  }
}

@inline(__always)
private func mirrored(_ index: Int, _ extent: Int, _ includesEdge: Bool) -> Int {
  if index < 0 { return includesEdge ? -1 &- index : 0 &- index }
  if index >= extent { return 2 &* extent &- index &- (includesEdge ? 1 : 2) }
  return index
}

/// Rows through log-softmax, or divided by their length.
func normalizeRows(_ arguments: NormalizeRowsArguments, _ rows: Range<Int>) {
  let columns = arguments.columns
  var row = rows.lowerBound
  // Sound: the maker of the arguments vouches for the rows.
  while row < rows.upperBound {
    let input = unsafe arguments.input + row &* columns
    let output = unsafe arguments.output + row &* columns
    var (greatest, sum) = (-Float.infinity, Float(0))
    var i = 0
    while i < columns {
      greatest = unsafe max(greatest, input[i])
      i &+= 1
    }
    i = 0
    while i < columns {
      let value = unsafe input[i]
      sum += arguments.isLogSoftmax ? cv_exponential(value - greatest) : value * value
      i &+= 1
    }
    // A row of zeros stays one.
    let length = max(cv_square_root(sum), 1e-6)
    let logarithm = greatest + cv_logarithm(sum)
    i = 0
    while i < columns {
      unsafe output[i] = arguments.isLogSoftmax ? input[i] - logarithm : input[i] / length
      i &+= 1
    }
    row &+= 1
  }
}
