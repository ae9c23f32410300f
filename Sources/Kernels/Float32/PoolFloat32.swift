import CVector
import KernelInterface

/// `output[p][c] = clamp(maximum of input[tap][c] over the taps inside the image)`.
func maximumPoolFloat32(_ arguments: PoolingFloat32Arguments, _ rows: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers.
  unsafe poolFloat32(
    arguments, rows, initial: -.infinity, { cv_max($1, $0) }, { sum, _ in sum })
}

/// `output[p][c] = clamp(mean of input[tap][c] over the taps inside the image)`.
func averagePoolFloat32(_ arguments: PoolingFloat32Arguments, _ rows: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers.
  unsafe poolFloat32(
    arguments, rows, initial: 0, { $0 + $1 },
    { sum, count in sum / SIMD8(repeating: Float(count)) })
}

@inline(__always)
@unsafe private func poolFloat32(
  _ arguments: PoolingFloat32Arguments, _ rows: Range<Int>, initial: Float,
  _ combine: (SIMD8<Float>, SIMD8<Float>) -> SIMD8<Float>,
  _ finish: (SIMD8<Float>, Int) -> SIMD8<Float>
) {
  let channels = arguments.geometry.inputChannels
  let lowest = SIMD8(repeating: arguments.bounds.minimum)
  let highest = SIMD8(repeating: arguments.bounds.maximum)
  var row = rows.lowerBound
  // Clipped windows lie inside the input.
  while row < rows.upperBound {
    let window = ClippedWindow(arguments.geometry, row: row)
    var channel = 0
    while channel < channels {
      let count = min(8, channels &- channel)
      var sum = SIMD8(repeating: initial)
      var y = 0
      while y < window.height {
        var place = unsafe arguments.input + (window.first &+ y &* window.lineStride &+ channel)
        var x = 0
        while x < window.width {
          sum = unsafe combine(sum, loadFloat32(place, count))
          unsafe place += window.tapStride
          x &+= 1
        }
        y &+= 1
      }
      let value = cv_clamp_keeping_nan(
        finish(sum, window.height &* window.width), lowest, highest)
      unsafe storeFloat32(arguments.output + (row &* channels &+ channel), value, count)
      channel &+= 8
    }
    row &+= 1
  }
}

/// The mean along the middle axis: `Σ input / reduced`, summed in order where the elements of a sum lie apart.
func meanFloat32(_ arguments: MeanFloat32Arguments, _ outer: Range<Int>) {
  let shape = arguments.shape
  if shape.inner == 1 {
    // Sound: as below.
    unsafe meanOfRows(arguments, outer)
    return
  }
  let divisor = SIMD16(repeating: Float(shape.reduced))
  var index = outer.lowerBound
  // Sound: every index stays inside the shape that the maker of the arguments vouches for.
  while index < outer.upperBound {
    var channel = 0
    while channel < shape.inner {
      let count = min(16, shape.inner &- channel)
      var place = unsafe arguments.input + (index &* shape.reduced &* shape.inner &+ channel)
      var sum = SIMD16<Float>()
      var k = 0
      while k < shape.reduced {
        unsafe sum += loadFloat32x16(place, count)
        unsafe place += shape.inner
        k &+= 1
      }
      unsafe storeFloat32(
        arguments.output + (index &* shape.inner &+ channel), sum / divisor, count)
      channel &+= 16
    }
    index &+= 1
  }
}

/// The mean of each row, in sixteen sums.
@unsafe private func meanOfRows(_ arguments: MeanFloat32Arguments, _ rows: Range<Int>) {
  let count = arguments.shape.reduced
  var row = rows.lowerBound
  while row < rows.upperBound {
    let place = unsafe arguments.input + row &* count
    var sums = SIMD16<Float>()
    var i = 0
    while i < count {
      unsafe sums += loadFloat32x16(place + i, min(16, count &- i))
      i &+= 16
    }
    unsafe arguments.output[row] = sumFloat32(sums) / Float(count)
    row &+= 1
  }
}
