import CVector
import KernelInterface

/// Integers to int8 codes: `clamp(rint(y + copysign(tieOffset, y)) + zeroPoint)` of `y = value · scale`, half to even.
struct Requantizer {
  private let scale: SIMD16<Float>
  private let tieOffset: SIMD16<Float>
  private let lowest: SIMD16<Float>
  private let highest: SIMD16<Float>
  private let zeroPoint: Int32
  /// The reference's own arithmetic, for ties; nil where the reference computes in floating point.
  private let exact: OutputScale?

  init(_ scale: OutputScale, bounds: OutputBoundsInt8) {
    self.init(scale: scale.scale, tieOffset: scale.tieOffset, exact: scale, bounds: bounds)
  }

  init(
    scale: Float, tieOffset: Float = 0, exact: OutputScale? = nil, bounds: OutputBoundsInt8
  ) {
    self.exact = exact
    self.tieOffset = SIMD16(repeating: tieOffset)
    self.scale = SIMD16(repeating: scale)
    lowest = SIMD16(repeating: Float(bounds.minimum &- bounds.zeroPoint))
    highest = SIMD16(repeating: Float(bounds.maximum &- bounds.zeroPoint))
    zeroPoint = bounds.zeroPoint
  }

  /// The values of 16 integers, less the zero point and within the bounds of the codes, not yet rounded.
  @inline(__always)
  func bounded(_ values: SIMD16<Int32>) -> SIMD16<Float> {
    // Bounded before the conversion: beyond int32, x86 and Arm round to different values.
    cv_clamp_x16(cv_scale_away_x16(cv_to_float_x16(values), scale, tieOffset), lowest, highest)
  }

  /// Codes of values that are not near a tie.
  @inline(__always)
  func rounded(_ bounded: SIMD16<Float>) -> SIMD16<Int8> { cv_codes_x16(bounded, zeroPoint) }

  /// Codes of any 16 integers.
  @inline(__always)
  func codes(_ values: SIMD16<Int32>) -> SIMD16<Int8> {
    let bounded = bounded(values)
    if let exact, _slowPath(cv_is_tie_x16(cv_farther_x16(SIMD16(), bounded))) {
      return cv_narrow_x16(
        exactCodes(
          values, scales: SIMD16(repeating: exact.scale),
          tieOffsets: SIMD16(repeating: exact.tieOffset), lowest: lowest[0], highest: highest[0])
          &+ SIMD16(repeating: zeroPoint))
    }
    return cv_narrow_x16(cv_nearest_x16(bounded) &+ SIMD16(repeating: zeroPoint))
  }
}

/// From one int8 quantisation to another: `clamp(rint((input − inputZeroPoint) · scale) + zeroPoint)`.
func requantizeInt8(_ arguments: RequantizeArguments) {
  let requantizer = Requantizer(scale: arguments.scale, bounds: arguments.bounds)
  let inputZeroPoint = SIMD16(repeating: arguments.inputZeroPoint)
  var i = 0
  // Sound: `count` elements are read and written, as the maker of the arguments vouches.
  while i < arguments.count {
    let count = min(16, arguments.count &- i)
    let codes = unsafe loadInt8(arguments.input + i, count)
    let output = requantizer.codes(cv_widen_x16(codes) &- inputZeroPoint)
    unsafe storeInt8(arguments.output + i, output, count)
    i &+= 16
  }
}
