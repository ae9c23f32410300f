import CVector
import KernelInterface

/// `output[i] = exp(beta · (input[i] − maximum)) / Σ`, along each row.
func softmaxFloat32(_ arguments: SoftmaxFloat32Arguments, _ rows: Range<Int>) {
  let columns = arguments.columns
  let beta = SIMD8(repeating: arguments.beta)
  var row = rows.lowerBound
  // Sound: every index stays inside the rows that the maker of the arguments vouches for.
  while row < rows.upperBound {
    let input = unsafe arguments.input + row &* columns
    let output = unsafe arguments.output + row &* columns
    let highest = unsafe SIMD8(repeating: maximum(input, columns))
    var sum: Float = 0
    var i = 0
    while i < columns {
      let count = min(8, columns &- i)
      let value = unsafe exponentialFloat32((loadFloat32(input + i, count) - highest) * beta)
      unsafe storeFloat32(output + i, value, count)
      var lane = i
      while lane < i &+ count {
        unsafe sum += output[lane]
        lane &+= 1
      }
      i &+= 8
    }
    let scale = SIMD8(repeating: 1 / sum)
    i = 0
    while i < columns {
      let count = min(8, columns &- i)
      unsafe storeFloat32(output + i, loadFloat32(output + i, count) * scale, count)
      i &+= 8
    }
    row &+= 1
  }
}

/// The greatest of `count` values, at least 1; NaN only when the first is.
@inline(__always)
@unsafe private func maximum(_ values: UnsafePointer<Float>, _ count: Int) -> Float {
  var highest = unsafe SIMD8(repeating: values[0])
  var i = 0
  while i &+ 8 <= count {
    highest = unsafe cv_max(cv_load_f32x8(values + i), highest)
    i &+= 8
  }
  var maximum = highest[0]
  var lane = 1
  while lane < 8 {
    if highest[lane] > maximum { maximum = highest[lane] }
    lane &+= 1
  }
  while i < count {
    let value = unsafe values[i]
    if value > maximum { maximum = value }
    i &+= 1
  }
  return maximum
}
