import CVector
import KernelInterface
import Tensors

/// The greatest elements of rows, the first of equal ones first; `rows` counts the input's.
func pickTop(_ arguments: TopArguments, _ rows: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  switch arguments.type {
  case .float32: unsafe pickTop(arguments, rows, Float.self)
  case .int8: unsafe pickTop(arguments, rows, Int8.self)
  case .uint8: unsafe pickTop(arguments, rows, UInt8.self)
  case .int16: unsafe pickTop(arguments, rows, Int16.self)
  case .int32: unsafe pickTop(arguments, rows, Int32.self)
  default: unsafe pickTop(arguments, rows, Int64.self)
  }
}

/// A list of the best so far, in order; each element that is better than the last of it moves in.
@inline(__always)
@unsafe private func pickTop<T: Comparable>(
  _ arguments: TopArguments, _ rows: Range<Int>, _: T.Type
) {
  let (columns, count) = (arguments.columns, arguments.count)
  var row = rows.lowerBound
  while row < rows.upperBound {
    let input = unsafe arguments.input.assumingMemoryBound(to: T.self) + row &* columns
    let values = unsafe arguments.values.assumingMemoryBound(to: T.self) + row &* count
    let indices = unsafe arguments.indices + row &* count
    var found = 0
    var i = 0
    while i < columns, count > 0 {
      let value = unsafe input[i]
      if unsafe found < count || value > values[found &- 1] {
        var place = found < count ? found : found &- 1
        if found < count { found &+= 1 }
        while place > 0, unsafe value > values[place &- 1] {
          unsafe values[place] = values[place &- 1]
          unsafe indices[place] = indices[place &- 1]
          place &-= 1
        }
        unsafe values[place] = value
        unsafe indices[place] = Int32(truncatingIfNeeded: i)
      }
      i &+= 1
    }
    row &+= 1
  }
}

/// An index as stored, of either width.
@inline(__always)
@unsafe private func storedIndex(
  _ indices: UnsafeRawPointer, _ place: Int, isWide: Bool
) -> Int {
  unsafe isWide
    ? Int(truncatingIfNeeded: indices.load(fromByteOffset: 8 &* place, as: Int64.self))
    : Int(indices.load(fromByteOffset: 4 &* place, as: Int32.self))
}

/// Sums slices into a tensor of zeros, or puts them into one of another number.
func scatter(_ arguments: ScatterArguments) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  switch arguments.type {
  case .float32: unsafe scatter(arguments, Float(0)) { $0 + $1 }
  case .int8: unsafe scatter(arguments, Int8(0)) { $0 &+ $1 }
  case .uint8: unsafe scatter(arguments, UInt8(0)) { $0 &+ $1 }
  case .bool: unsafe scatter(arguments, UInt8(0)) { $0 | $1 }
  case .int16: unsafe scatter(arguments, Int16(0)) { $0 &+ $1 }
  case .int32: unsafe scatter(arguments, Int32(0)) { $0 &+ $1 }
  default: unsafe scatter(arguments, Int64(0)) { $0 &+ $1 }
  }
}

@inline(__always)
@unsafe private func scatter<T>(_ arguments: ScatterArguments, _ zero: T, _ add: (T, T) -> T) {
  let output = unsafe arguments.output.assumingMemoryBound(to: T.self)
  let updates = unsafe arguments.updates.assumingMemoryBound(to: T.self)
  var (first, replaces) = (zero, false)
  if let background = unsafe arguments.background {
    (first, replaces) = unsafe (background.assumingMemoryBound(to: T.self)[0], true)
  }
  var i = 0
  while i < arguments.count {
    unsafe output[i] = first
    i &+= 1
  }
  var slice = 0
  while slice < arguments.slices {
    var (offset, isInside) = (0, true)
    var axis = 0
    while axis < arguments.depth {
      let index = unsafe storedIndex(
        arguments.indices, slice &* arguments.depth &+ axis, isWide: arguments.hasWideIndices)
      isInside = isInside && index >= 0 && index < arguments.extents[axis]
      offset &+= index &* arguments.strides[axis]
      axis &+= 1
    }
    i = isInside ? 0 : arguments.inner
    while i < arguments.inner {
      let update = unsafe updates[slice &* arguments.inner &+ i]
      unsafe output[offset &+ i] = replaces ? update : add(output[offset &+ i], update)
      i &+= 1
    }
    slice &+= 1
  }
}

/// Turns round the beginnings of sequences; `rows` counts `[outer, first, middle, second]`.
func reverseSequence(_ arguments: ReverseSequenceArguments, _ rows: Range<Int>) {
  var row = rows.lowerBound
  // Sound: a turned index stays below its length, which is bounded by the axis.
  while row < rows.upperBound {
    let second = row % arguments.second
    let rest = row / arguments.second
    let middle = rest % arguments.middle
    let block = rest / arguments.middle
    let first = block % arguments.first
    let length = unsafe min(
      storedIndex(
        arguments.lengths, arguments.turnsFirst ? second : first,
        isWide: arguments.hasWideLengths),
      arguments.turnsFirst ? arguments.first : arguments.second)
    var from = row
    if arguments.turnsFirst, first < length {
      let turned = block &- first &+ (length &- 1 &- first)
      from = (turned &* arguments.middle &+ middle) &* arguments.second &+ second
    } else if !arguments.turnsFirst, second < length {
      from = row &- second &+ (length &- 1 &- second)
    }
    unsafe cv_copy(
      arguments.output + row &* arguments.innerBytes, arguments.input + from &* arguments.innerBytes,
      arguments.innerBytes)
    row &+= 1
  }
}

/// Cuts a block out of a tensor.
func cut(_ arguments: CutArguments) {
  var strides = SIMD8<Int>()
  var (stride, offset, rows) = (arguments.elementBytes, 0, 1)
  var axis = 7
  // Sound: the block is moved inside; the maker of the arguments vouches for the rest.
  while axis >= 0 {
    strides[axis] = stride
    let place = arguments.indexPlaces[axis]
    if place >= 0 {
      var start = unsafe storedIndex(
        arguments.indices, place, isWide: arguments.hasWideIndices)
      if start < 0, arguments.countsFromEnd { start &+= arguments.extents[axis] }
      let last = arguments.extents[axis] &- arguments.blockExtents[axis]
      offset &+= (start < 0 ? 0 : start > last ? last : start) &* stride
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
      arguments.output + row &* rowBytes, arguments.input + (offset &+ place.offset), rowBytes)
    place.advance()
    row &+= 1
  }
}

/// `x / (bias + alpha · Σ neighbours²) ^ beta`; `rows` counts the input's.
func normalizeByNeighbours(_ arguments: NeighbourArguments, _ rows: Range<Int>) {
  var row = rows.lowerBound
  // Sound: the maker of the arguments vouches for the rows.
  while row < rows.upperBound {
    let input = unsafe arguments.input + row &* arguments.columns
    let output = unsafe arguments.output + row &* arguments.columns
    var column = 0
    while column < arguments.columns {
      var neighbour = max(column &- arguments.radius, 0)
      let end = min(column &+ arguments.radius &+ 1, arguments.columns)
      var sum: Float = 0
      while neighbour < end {
        sum += unsafe input[neighbour] * input[neighbour]
        neighbour &+= 1
      }
      unsafe output[column] =
        input[column] * cv_power(arguments.bias + arguments.alpha * sum, -arguments.beta)
      column &+= 1
    }
    row &+= 1
  }
}
