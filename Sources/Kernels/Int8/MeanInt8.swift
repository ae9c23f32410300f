import CVector
import KernelInterface

/// The mean along the middle axis: `clamp(round((Σ code − reduced · inputZeroPoint) · scale) + zeroPoint)`.
///
/// - Precondition: fewer than 2²³ elements are reduced.
/// - Source: TensorFlow Lite's reference, bit by bit: a fixed-point ratio, rounded twice.
func meanInt8(_ arguments: MeanInt8Arguments, _ outer: Range<Int>) {
  let shape = arguments.shape
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
