import CVector
import KernelInterface
import Tensors

/// Folds slices by their numbers.
func foldSegments(_ arguments: SegmentArguments) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  switch arguments.type {
  case .float32:
    switch arguments.operation {
    case .sum: unsafe fold(arguments, Float(0)) { $0 + $1 }
    case .product: unsafe fold(arguments, Float(1)) { $0 * $1 }
    case .maximum:
      unsafe fold(arguments, -Float.greatestFiniteMagnitude) { $1 > $0 ? $1 : $0 }
    case .minimum: unsafe fold(arguments, Float.greatestFiniteMagnitude) { $1 < $0 ? $1 : $0 }
    }
  case .int32: unsafe foldIntegers(arguments, Int32.self)
  default: unsafe foldIntegers(arguments, Int64.self)
  }
}

@inline(__always)
@unsafe private func foldIntegers<T: FixedWidthInteger>(_ arguments: SegmentArguments, _: T.Type) {
  switch arguments.operation {
  case .sum: unsafe fold(arguments, T(0)) { $0 &+ $1 }
  case .product: unsafe fold(arguments, T(1)) { $0 &* $1 }
  case .maximum: unsafe fold(arguments, T.min) { $1 > $0 ? $1 : $0 }
  case .minimum: unsafe fold(arguments, T.max) { $1 < $0 ? $1 : $0 }
  }
}

@inline(__always)
@unsafe private func fold<T>(
  _ arguments: SegmentArguments, _ start: T, _ combine: (T, T) -> T
) {
  let output = unsafe arguments.output.assumingMemoryBound(to: T.self)
  let input = unsafe arguments.input.assumingMemoryBound(to: T.self)
  let inner = arguments.inner
  var i = 0
  while i < arguments.segments &* inner {
    unsafe output[i] = start
    i &+= 1
  }
  var slice = 0
  while slice < arguments.slices {
    let number = unsafe arguments.hasWideNumbers
      ? Int(truncatingIfNeeded: arguments.numbers.load(fromByteOffset: 8 &* slice, as: Int64.self))
      : Int(arguments.numbers.load(fromByteOffset: 4 &* slice, as: Int32.self))
    i = number >= 0 && number < arguments.segments ? 0 : inner
    while i < inner {
      let place = number &* inner &+ i
      unsafe output[place] = combine(output[place], input[slice &* inner &+ i])
      i &+= 1
    }
    slice &+= 1
  }
}

/// Puts diagonals into matrices.
func putDiagonal(_ arguments: DiagonalArguments) {
  let (rows, columns, size) = (arguments.rows, arguments.columns, arguments.elementBytes)
  let matrixBytes = rows &* columns &* size
  let length = min(rows, columns)
  var matrix = 0
  // Sound: the maker of the arguments vouches for the pointers.
  while matrix < arguments.matrices {
    let output = unsafe arguments.output + matrix &* matrixBytes
    if let input = unsafe arguments.input {
      unsafe cv_copy(output, input + matrix &* matrixBytes, matrixBytes)
    } else {
      var i = 0
      while i < matrixBytes {
        unsafe output.storeBytes(of: 0, toByteOffset: i, as: UInt8.self)
        i &+= 1
      }
    }
    var k = 0
    while k < length {
      unsafe cv_copy(
        output + (k &* columns &+ k) &* size,
        arguments.diagonal + (matrix &* length &+ k) &* size, size)
      k &+= 1
    }
    matrix &+= 1
  }
}

/// How many of the bounds each element has reached.
func bucketize(_ arguments: BucketArguments) {
  var i = 0
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  while i < arguments.count {
    let value: Float
    switch arguments.type {
    case .float32: value = unsafe arguments.input.load(fromByteOffset: 4 &* i, as: Float.self)
    case .int32: value = unsafe Float(arguments.input.load(fromByteOffset: 4 &* i, as: Int32.self))
    default: value = unsafe Float(arguments.input.load(fromByteOffset: 8 &* i, as: Int64.self))
    }
    var (low, high) = (0, arguments.boundCount)
    while low < high {
      let middle = (low &+ high) / 2
      if unsafe value < arguments.bounds[middle] { high = middle } else { low = middle &+ 1 }
    }
    unsafe arguments.output[i] = Int32(truncatingIfNeeded: low)
    i &+= 1
  }
}

/// Selects boxes by falling score; a box that overlaps a selected one is dropped, or its score decays and it is looked
/// at again.
func selectBoxes(_ arguments: SelectBoxesArguments) {
  // Sound: the maker of the arguments vouches for the pointers, and for scratch of the stated size.
  let scores = unsafe arguments.scratch.assumingMemoryBound(to: Float.self)
  let compared = unsafe UnsafeMutableRawPointer(scores + arguments.boxes)
    .assumingMemoryBound(to: Int32.self)
  let (limit, threshold) = unsafe (arguments.overlapThreshold.pointee, arguments.scoreThreshold.pointee)
  let decay = unsafe arguments.decay?.pointee ?? 0
  let scale: Float = decay > 0 ? -0.5 / decay : 0
  var i = 0
  while i < arguments.boxes {
    unsafe scores[i] = arguments.scores[i]
    unsafe compared[i] = 0
    i &+= 1
  }
  i = 0
  while i < arguments.limit {
    unsafe arguments.indices[i] = 0
    if let selected = unsafe arguments.selectedScores { unsafe selected[i] = 0 }
    i &+= 1
  }
  var count = 0
  while count < arguments.limit {
    var best = -1
    i = 0
    while i < arguments.boxes {
      if unsafe scores[i] > threshold, unsafe best < 0 || scores[i] > scores[best] { best = i }
      i &+= 1
    }
    guard best >= 0 else { break }
    let original = unsafe scores[best]
    var score = original
    var j = count &- 1
    while unsafe j >= Int(compared[best]), score > threshold {
      let shared = unsafe cornerOverlap(
        arguments.corners + 4 &* best, arguments.corners + 4 &* Int(arguments.indices[j]))
      if shared >= limit {
        score = -Float.infinity
      } else if decay > 0 {
        score *= cv_exponential(scale * shared * shared)
      }
      j &-= 1
    }
    unsafe compared[best] = Int32(truncatingIfNeeded: count)
    if score == original {
      unsafe arguments.indices[count] = Int32(truncatingIfNeeded: best)
      if let selected = unsafe arguments.selectedScores { unsafe selected[count] = score }
      count &+= 1
      score = -Float.infinity
    }
    unsafe scores[best] = score > threshold ? score : -Float.infinity
  }
  unsafe arguments.selectedCount.pointee = Int32(truncatingIfNeeded: count)
}

/// The area that two boxes share over the area that they cover, whichever corners they are given by.
@inline(__always)
@unsafe private func cornerOverlap(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Float {
  let (top, left) = unsafe (min(a[0], a[2]), min(a[1], a[3]))
  let (bottom, right) = unsafe (max(a[0], a[2]), max(a[1], a[3]))
  let (otherTop, otherLeft) = unsafe (min(b[0], b[2]), min(b[1], b[3]))
  let (otherBottom, otherRight) = unsafe (max(b[0], b[2]), max(b[1], b[3]))
  let area = (bottom - top) * (right - left)
  let other = (otherBottom - otherTop) * (otherRight - otherLeft)
  guard area > 0, other > 0 else { return 0 }
  let height = max(min(bottom, otherBottom) - max(top, otherTop), 0)
  let width = max(min(right, otherRight) - max(left, otherLeft), 0)
  return height * width / (area + other - height * width)
}
