import CVector
import KernelInterface

/// The mean along the middle axis: `clamp(round((Σ code − reduced · inputZeroPoint) · scale) + zeroPoint)`.
///
/// - Precondition: fewer than 2²³ elements are reduced.
/// - Source: TensorFlow Lite's reference, bit by bit: a fixed-point ratio, rounded twice.
func meanInt8(_ arguments: MeanInt8Arguments, _ outer: Range<Int>) {
  let shape = arguments.shape
  let offset = SIMD8(
    repeating: 0 &- Int32(truncatingIfNeeded: shape.reduced) &* arguments.inputZeroPoint)
  var index = outer.lowerBound
  // Sound: every index stays inside the shape that the maker of the arguments vouches for.
  while index < outer.upperBound {
    var channel = 0
    while channel < shape.inner {
      let count = min(16, shape.inner &- channel)
      var place = unsafe arguments.input + (index &* shape.reduced &* shape.inner &+ channel)
      var (low, high) = (offset, offset)
      var k = 0
      while k < shape.reduced {
        let codes = unsafe loadInt8(place, count)
        low &+= cv_widen_s8x8(codes.lowHalf)
        high &+= cv_widen_s8x8(codes.highHalf)
        unsafe place += shape.inner
        k &+= 1
      }
      let codes = cv_narrow_s32x16(
        scaled(low, arguments.scale, arguments.bounds),
        scaled(high, arguments.scale, arguments.bounds))
      unsafe storeInt8(arguments.output + (index &* shape.inner &+ channel), codes, count)
      channel &+= 16
    }
    index &+= 1
  }
}

private func scaled(
  _ sums: SIMD8<Int32>, _ scale: FixedPointScale, _ bounds: OutputBoundsInt8
) -> SIMD8<Int32> {
  var codes = SIMD8<Int32>()
  var lane = 0
  while lane < 8 {
    let (code, overflow) = scale.apply(sums[lane]).addingReportingOverflow(bounds.zeroPoint)
    codes[lane] = overflow ? (sums[lane] > 0 ? bounds.maximum : bounds.minimum) : code
    lane &+= 1
  }
  return cv_min_s32(
    cv_max_s32(codes, SIMD8(repeating: bounds.minimum)), SIMD8(repeating: bounds.maximum))
}
