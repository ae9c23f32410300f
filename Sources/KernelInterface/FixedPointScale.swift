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

  private init(multiplier: Int32, exponent: Int) {
    self.multiplier = multiplier
    self.exponent = exponent
  }

  /// The same ratio times `2^power`.
  package func shifted(by power: Int) -> FixedPointScale {
    FixedPointScale(multiplier: multiplier, exponent: exponent + power)
  }

  /// `1 / √value`, by five steps of Newton in fixed point.
  ///
  /// - Source: the integer inverse root of TensorFlow Lite's reference kernels, bit for bit.
  package static func inverseRoot(of value: Int32) -> FixedPointScale {
    guard value > 1 else { return FixedPointScale(multiplier: .max, exponent: 0) }
    var (input, shift) = (value, 11)
    while input >= 1 << 29 {
      input /= 4
      shift += 1
    }
    let pairs = (input.leadingZeroBitCount - 1) / 2 - 1
    shift -= pairs
    input <<= Int32(2 * pairs)
    // Numbers of 28 bits behind the point from here on.
    let half = roundedHalf(input >> 1)
    let threeHalves: Int32 = 1 << 28 + 1 << 27
    var x: Int32 = 1 << 28
    for _ in 0..<5 {
      let cube = saturatedShift(product(product(x, x), x), 6)
      x = saturatedShift(product(threeHalves, x) &- product(half, cube), 3)
    }
    // √2 / 2 of 31 bits.
    var multiplier = product(x, 1_518_500_250)
    if shift < 0 {
      multiplier <<= Int32(-shift)
      shift = 0
    }
    return FixedPointScale(multiplier: multiplier, exponent: -shift)
  }

  /// The rounded doubling high product.
  private static func product(_ a: Int32, _ b: Int32) -> Int32 {
    if a == .min && b == .min { return .max }
    let product = Int64(a) * Int64(b)
    return Int32(truncatingIfNeeded: (product + (product >= 0 ? 1 << 30 : 1 - (1 << 30))) / (1 << 31))
  }

  private static func saturatedShift(_ value: Int32, _ bits: Int) -> Int32 {
    Int32(min(max(Int64(value) << Int64(bits), Int64(Int32.min)), Int64(Int32.max)))
  }

  /// `value / 2`, half away from zero.
  private static func roundedHalf(_ value: Int32) -> Int32 {
    value >> 1 + (value & 1 > (value < 0 ? 1 : 0) ? 1 : 0)
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
