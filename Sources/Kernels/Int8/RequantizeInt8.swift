import CVector
import KernelInterface

/// Integers to int8 codes: `clamp(rint(y + copysign(tieOffset, y)) + zeroPoint)` of `y = value · scale`, half to even.
struct Requantizer {
  private let scale: SIMD8<Float>
  private let tieOffset: SIMD8<Float>
  private let lowest: SIMD8<Float>
  private let highest: SIMD8<Float>
  private let zeroPoint: SIMD8<Int32>
  /// The reference's own arithmetic, for ties; nil where the reference computes in floating point.
  private let exact: OutputScale?

  init(_ scale: OutputScale, bounds: OutputBoundsInt8) {
    self.init(scale: scale.scale, tieOffset: scale.tieOffset, exact: scale, bounds: bounds)
  }

  init(
    scale: Float, tieOffset: Float = 0, exact: OutputScale? = nil, bounds: OutputBoundsInt8
  ) {
    self.exact = exact
    self.tieOffset = SIMD8(repeating: tieOffset)
    self.scale = SIMD8(repeating: scale)
    lowest = SIMD8(repeating: Float(bounds.minimum &- bounds.zeroPoint))
    highest = SIMD8(repeating: Float(bounds.maximum &- bounds.zeroPoint))
    zeroPoint = SIMD8(repeating: bounds.zeroPoint)
  }

  @inline(__always)
  func codes(_ values: SIMD8<Int32>) -> SIMD8<Int32> {
    let product = cv_to_float(values) * scale
    let moved = product + cv_copy_sign(tieOffset, product)
    // Bounded before the conversion: beyond int32, x86 and Arm round to different values.
    let bounded = cv_clamp(moved, lowest, highest)
    if let exact, _slowPath(cv_has_tie(bounded)) {
      return exactCodes(values, exact, lowest[0], highest[0]) &+ zeroPoint
    }
    return cv_round(bounded) &+ zeroPoint
  }
}

/// From one int8 quantisation to another: `clamp(rint((input − inputZeroPoint) · scale) + zeroPoint)`.
func requantizeInt8(_ arguments: RequantizeArguments) {
  let requantizer = Requantizer(scale: arguments.scale, bounds: arguments.bounds)
  let inputZeroPoint = SIMD8(repeating: arguments.inputZeroPoint)
  var i = 0
  // Sound: `count` elements are read and written, as the maker of the arguments vouches.
  while i < arguments.count {
    let count = min(16, arguments.count &- i)
    let codes = unsafe loadInt8(arguments.input + i, count)
    let low = requantizer.codes(cv_widen_s8x8(codes.lowHalf) &- inputZeroPoint)
    let high = requantizer.codes(cv_widen_s8x8(codes.highHalf) &- inputZeroPoint)
    unsafe storeInt8(arguments.output + i, cv_narrow_s32x16(low, high), count)
    i &+= 16
  }
}
