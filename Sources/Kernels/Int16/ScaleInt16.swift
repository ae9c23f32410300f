import CVector
import KernelInterface

/// `FixedPointScale.apply` with what does not change taken out of the loop.
struct FixedPointRatio {
  private let multiplier: Int64
  private let left: Int64
  private let right: Int64
  private let half: Int64
  /// All ones where the second rounding happens.
  private let mask: Int64

  init(_ scale: FixedPointScale) {
    multiplier = Int64(scale.multiplier)
    left = Int64(min(max(scale.exponent, 0), 31))
    right = Int64(min(max(0 &- scale.exponent, 0), 62))
    half = right > 0 ? 1 &<< (right &- 1) : 0
    mask = right > 0 ? -1 : 0
  }

  /// The rounded doubling high product, half up, then a shift, half away from zero.
  @inline(__always)
  func apply(_ value: Int32) -> Int64 {
    let shifted = min(max(Int64(value) &<< left, Int64(Int32.min)), Int64(Int32.max))
    let high = (shifted &* multiplier &+ (1 << 30)) &>> 31
    return (high &+ half &+ ((high &>> 63) & mask)) &>> right
  }

  /// The same of sixteen, which are within int32.
  @inline(__always)
  func apply(_ values: SIMD16<Int64>) -> SIMD16<Int64> {
    cv_apply_ratio_x16(values, multiplier, left, right, half, mask)
  }
}

@inline(__always)
func clampedInt16(_ value: Int64, _ minimum: Int16, _ maximum: Int16) -> Int16 {
  Int16(truncatingIfNeeded: min(max(value, Int64(minimum)), Int64(maximum)))
}
