import CVector
import KernelInterface

/// `output[i] = exp(beta · (input[i] − maximum)) / Σ`, along each row.
func softmaxFloat32(_ arguments: SoftmaxFloat32Arguments, _ rows: Range<Int>) {
  let columns = arguments.columns
  let beta = SIMD16(repeating: arguments.beta)
  var row = rows.lowerBound
  // Sound: every index stays inside the rows that the maker of the arguments vouches for.
  while row < rows.upperBound {
    let input = unsafe arguments.input + row &* columns
    let output = unsafe arguments.output + row &* columns
    let highest = unsafe SIMD16(repeating: maximum(input, columns))
    var sums = SIMD16<Float>()
    var i = 0
    while i < columns {
      let count = min(16, columns &- i)
      let value = unsafe exponentialFloat32((loadFloat32x16(input + i, count) - highest) * beta)
      unsafe storeFloat32(output + i, value, count)
      // Again from memory: lanes beyond the row have other values.
      sums += unsafe loadFloat32x16(output + i, count)
      i &+= 16
    }
    let sum = SIMD16(repeating: sumFloat32(sums))
    i = 0
    while i < columns {
      let count = min(16, columns &- i)
      unsafe storeFloat32(output + i, loadFloat32x16(output + i, count) / sum, count)
      i &+= 16
    }
    row &+= 1
  }
}

/// The greatest of `count` values, at least 1; NaN only when the first is.
@inline(__always)
@unsafe private func maximum(_ values: UnsafePointer<Float>, _ count: Int) -> Float {
  var highest = unsafe SIMD16(repeating: values[0])
  var i = 0
  while i &+ 16 <= count {
    highest = unsafe cv_greater_x16(cv_load_f32x16(values + i), highest)
    i &+= 16
  }
  var maximum = cv_greatest_float_x16(highest)
  while i < count {
    let value = unsafe values[i]
    if value > maximum { maximum = value }
    i &+= 1
  }
  return maximum
}
