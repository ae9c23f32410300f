import CVector
import KernelInterface

/// The mean along the middle axis: `clamp(round((Σ code − reduced · inputZeroPoint) · scale) + zeroPoint)`.
///
/// - Precondition: fewer than 2²³ elements are reduced.
/// - Source: TensorFlow Lite's reference, bit by bit: a fixed-point ratio, rounded twice.
func meanInt8(_ arguments: MeanInt8Arguments, _ outer: Range<Int>) {
  let shape = arguments.shape
  if shape.inner == 1 { return unsafe meanOfRows(arguments, outer) }
  let offset = SIMD16(
    repeating: 0 &- Int32(truncatingIfNeeded: shape.reduced) &* arguments.inputZeroPoint)
  let ratio = FixedPointRatio(arguments.scale)
  let bounds = arguments.bounds
  var index = outer.lowerBound
  // Sound: every index stays inside the shape that the maker of the arguments vouches for.
  while index < outer.upperBound {
    var channel = 0
    while channel < shape.inner {
      let count = min(16, shape.inner &- channel)
      var place = unsafe arguments.input + (index &* shape.reduced &* shape.inner &+ channel)
      var sums = offset
      var k = 0
      while k < shape.reduced {
        sums &+= unsafe cv_widen_x16(loadInt8(place, count))
        unsafe place += shape.inner
        k &+= 1
      }
      let steps = cv_bounded_x16(
        ratio.apply(cv_long_x16(sums)), bounds.minimum &- bounds.zeroPoint,
        bounds.maximum &- bounds.zeroPoint)
      let codes = cv_narrow_x16(steps &+ SIMD16(repeating: bounds.zeroPoint))
      unsafe storeInt8(arguments.output + (index &* shape.inner &+ channel), codes, count)
      channel &+= 16
    }
    index &+= 1
  }
}

/// The same where the axis is the last: sixteen codes of a row at a time.
@inline(never)
@unsafe private func meanOfRows(_ arguments: MeanInt8Arguments, _ rows: Range<Int>) {
  let (columns, bounds) = (arguments.shape.reduced, arguments.bounds)
  let offset = 0 &- Int32(truncatingIfNeeded: columns) &* arguments.inputZeroPoint
  let ratio = FixedPointRatio(arguments.scale)
  var row = rows.lowerBound
  // In bounds: a row has `columns` codes.
  while row < rows.upperBound {
    let input = unsafe arguments.input + row &* columns
    var (sums, column) = (SIMD16<Int32>(), 0)
    while column < columns {
      sums &+= unsafe cv_widen_x16(loadInt8(input + column, min(16, columns &- column)))
      column &+= 16
    }
    let code = ratio.apply(sums.wrappedSum() &+ offset) &+ Int64(bounds.zeroPoint)
    unsafe arguments.output[row] = Int8(
      truncatingIfNeeded: min(max(code, Int64(bounds.minimum)), Int64(bounds.maximum)))
    row &+= 1
  }
}
