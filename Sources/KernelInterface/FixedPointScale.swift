/// A ratio as a 31-bit multiplier and a power of two: `ratio ≈ multiplier · 2^(exponent − 31)`.
///
/// - Source: the quantised multipliers of TensorFlow Lite's reference kernels, whose two roundings `apply` repeats.
package struct FixedPointScale: Sendable, Equatable, BitwiseCopyable {
  package let multiplier: Int32
  package let exponent: Int

  /// `ratio / divisor`; the multiplier is divided as an integer.
  /// - Precondition: the ratio is finite and not negative, the divisor at least 1.
  package init(_ ratio: Double, dividedBy divisor: Int = 1) {
    guard ratio > 0, ratio.exponent > -32, ratio.exponent < 31 else {
      multiplier = ratio >= 1 ? .max : 0
      exponent = ratio >= 1 ? 31 : 0
      return
    }
    var exponent = Int(ratio.exponent) + 1
    var significand = Int64((ratio.significand * 0x1p30).rounded(.toNearestOrAwayFromZero))
    if significand == 1 << 31 {
      significand >>= 1
      exponent += 1
    }
    let shift = max(0, min(Int.bitWidth - 1 - divisor.leadingZeroBitCount, 31 + exponent))
    multiplier = Int32((significand << Int64(shift)) / Int64(divisor))
    self.exponent = exponent - shift
  }

  /// The rounded doubling high product, then a rounding shift to the right.
  package func apply(_ value: Int32) -> Int32 {
    let left = Int64(max(exponent, 0))
    let shifted = Int64(value) << left
    let bounded = min(max(shifted, Int64(Int32.min)), Int64(Int32.max))
    let product = bounded * Int64(multiplier)
    let high = (product + (product >= 0 ? 1 << 30 : 1 - (1 << 30))) / (1 << 31)
    let right = Int64(max(-exponent, 0))
    guard right > 0 else { return Int32(truncatingIfNeeded: high) }
    guard right < 32 else { return 0 }
    let remainder = high & ((1 << right) - 1)
    let threshold = (((1 << right) - 1) >> 1) + (high < 0 ? 1 : 0)
    return Int32(truncatingIfNeeded: (high >> right) + (remainder > threshold ? 1 : 0))
  }
}
