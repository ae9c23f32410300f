import CVector
import KernelInterface

/// Rows brought to mean 0 and variance 1, times γ, plus β: three passes over a row that stays in the nearest cache.
///
/// Sums and roundings are those of the kernels for each step by itself, so that codes that are made of the result are too.
func layerNormalize(_ arguments: LayerNormalizationArguments, _ rows: Range<Int>) {
  let columns = arguments.columns
  let divisor = Float(columns)
  var row = rows.lowerBound
  // Sound: the maker of the arguments vouches for the rows, γ and β.
  while row < rows.upperBound {
    let input = unsafe arguments.input + row &* columns
    let output = unsafe arguments.output + row &* columns
    let mean = SIMD16(repeating: unsafe sum(input, columns) / divisor)
    let variance = unsafe sum(input, columns, ofSquaresFrom: mean) / divisor
    let root = SIMD16(repeating: 1 / cv_square_root(variance + arguments.epsilon))
    var column = 0
    while column < columns {
      let count = min(16, columns &- column)
      let value = unsafe loadFloat32x16(input + column, count)
      let factor =
        unsafe arguments.factors.map { unsafe loadFloat32x16($0 + column, count) }
      let offset =
        unsafe arguments.offsets.map { unsafe loadFloat32x16($0 + column, count) }
      unsafe storeFloat32(
        output + column,
        arguments.subtractsMeanFirst
          ? difference(value, mean, root, factor, offset)
          : product(value, mean, root, factor, offset), count)
      column &+= 16
    }
    row &+= 1
  }
}

/// `(x − mean) · root · γ + β`.
@inline(__always)
private func difference(
  _ value: SIMD16<Float>, _ mean: SIMD16<Float>, _ root: SIMD16<Float>, _ factor: SIMD16<Float>?,
  _ offset: SIMD16<Float>?
) -> SIMD16<Float> {
  var result = (value - mean) * root
  if let factor { result = result * factor }
  if let offset { result = result + offset }
  return result
}

/// `x · s + (β − mean · s)`, where s is `root · γ`.
@inline(__always)
private func product(
  _ value: SIMD16<Float>, _ mean: SIMD16<Float>, _ root: SIMD16<Float>, _ factor: SIMD16<Float>?,
  _ offset: SIMD16<Float>?
) -> SIMD16<Float> {
  let scale = if let factor { root * factor } else { root }
  let shift = mean * scale
  if let offset { return value * scale + (offset - shift) }
  return value * scale - shift
}

/// The sum of all columns, or of their squared distances from the mean, in sixteen sums.
@inline(__always)
@unsafe private func sum(
  _ input: UnsafePointer<Float>, _ columns: Int, ofSquaresFrom mean: SIMD16<Float>? = nil
) -> Float {
  var (sums, column) = (SIMD16<Float>(), 0)
  while column &+ 16 <= columns {
    let values = unsafe cv_load_f32x16(input + column)
    sums = sums + (mean.map { (values - $0) * (values - $0) } ?? values)
    column &+= 16
  }
  if column < columns {
    let values = unsafe loadFloat32x16(input + column, columns &- column)
    let lanes = SIMD16<Float>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    // The lanes beyond the last column count for nothing.
    sums = sums + cv_select_below_x16(
      lanes, SIMD16(repeating: Float(columns &- column)), SIMD16(),
      mean.map { (values - $0) * (values - $0) } ?? values)
  }
  return sumFloat32(sums)
}
