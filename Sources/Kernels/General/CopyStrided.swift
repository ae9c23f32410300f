import CVector
import KernelInterface

/// Copies elements into consecutive places; `rows` counts the indices of all axes but the last.
func copyStrided(_ arguments: StridedCopyArguments, _ rows: Range<Int>) {
  let columns = arguments.extents[7]
  let rowBytes = columns &* arguments.elementBytes
  var place = RowPlace(arguments.extents, arguments.strides, at: rows.lowerBound)
  var output = unsafe arguments.output + rows.lowerBound &* rowBytes
  var row = rows.lowerBound
  // Sound: the maker of the arguments vouches for every element of the walk.
  while row < rows.upperBound {
    let input = unsafe arguments.input + place.offset
    if arguments.strides[7] == arguments.elementBytes {
      unsafe cv_copy(output, input, rowBytes)
    } else {
      unsafe copyRow(input, arguments.strides[7], output, columns, arguments.elementBytes)
    }
    unsafe output += rowBytes
    place.advance()
    row &+= 1
  }
}

/// Where a row begins, as a counter over the seven axes outside it.
struct RowPlace {
  private var extents: SIMD8<Int>
  private var strides: SIMD8<Int>
  private var index = SIMD8<Int>()
  /// Bytes from the first element.
  private(set) var offset = 0

  init(_ extents: SIMD8<Int>, _ strides: SIMD8<Int>, at row: Int) {
    self.extents = extents
    self.strides = strides
    var rest = row
    var axis = 6
    while axis >= 0 {
      index[axis] = rest % extents[axis]
      rest /= extents[axis]
      offset &+= index[axis] &* strides[axis]
      axis &-= 1
    }
  }

  mutating func advance() {
    var axis = 6
    while axis >= 0 {
      index[axis] &+= 1
      offset &+= strides[axis]
      if index[axis] < extents[axis] { return }
      offset &-= extents[axis] &* strides[axis]
      index[axis] = 0
      axis &-= 1
    }
  }
}

@inline(__always)
@unsafe private func copyRow(
  _ input: UnsafeRawPointer, _ stride: Int, _ output: UnsafeMutableRawPointer, _ count: Int,
  _ elementBytes: Int
) {
  switch elementBytes {
  case 1: unsafe copyElements(input, stride, output, count, UInt8.self)
  case 2: unsafe copyElements(input, stride, output, count, UInt16.self)
  case 4: unsafe copyElements(input, stride, output, count, UInt32.self)
  default: unsafe copyElements(input, stride, output, count, UInt64.self)
  }
}

@inline(__always)
@unsafe private func copyElements<T: BitwiseCopyable>(
  _ input: UnsafeRawPointer, _ stride: Int, _ output: UnsafeMutableRawPointer, _ count: Int,
  _: T.Type
) {
  let output = unsafe output.assumingMemoryBound(to: T.self)
  var from = unsafe input
  var i = 0
  while i < count {
    unsafe output[i] = from.assumingMemoryBound(to: T.self).pointee
    unsafe from += stride
    i &+= 1
  }
}

/// Takes elements from one of two operands.
func select(_ arguments: SelectArguments) {
  let size = arguments.elementBytes
  var i = 0
  // Sound: `count` elements are read and written, as the maker of the arguments vouches.
  while i < arguments.count {
    let from = unsafe arguments.condition[i] != 0 ? arguments.left : arguments.right
    unsafe cv_copy(arguments.output + i &* size, from + i &* size, size)
    i &+= 1
  }
}
