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

/// The mean along the middle axis: `Σ input / reduced`, summed in order.
func meanFloat32(_ arguments: MeanFloat32Arguments, _ outer: Range<Int>) {
  let shape = arguments.shape
  let divisor = SIMD8(repeating: Float(shape.reduced))
  var index = outer.lowerBound
  // Sound: every index stays inside the shape that the maker of the arguments vouches for.
  while index < outer.upperBound {
    var channel = 0
    while channel < shape.inner {
      let count = min(8, shape.inner &- channel)
      var place = unsafe arguments.input + (index &* shape.reduced &* shape.inner &+ channel)
      var sum = SIMD8<Float>()
      var k = 0
      while k < shape.reduced {
        unsafe sum += loadFloat32(place, count)
        unsafe place += shape.inner
        k &+= 1
      }
      unsafe storeFloat32(
        arguments.output + (index &* shape.inner &+ channel), sum / divisor, count)
      channel &+= 8
    }
    index &+= 1
  }
}
