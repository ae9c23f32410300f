/// How an int32 sum becomes a code: `rint(y + copysign(tieOffset, y))` of `y = sum · scale`, half to even.
///
/// The reference kernels round a convolution's sum twice: to a whole number of `2^(exponent)` units of the output, half
/// up, and then to a whole code, half away from zero. A floor of a floor is one floor, so both together are one rounding
/// of a value moved away from zero by half such a unit, which is `tieOffset`. What is left is float32's own rounding of
/// the product; where that could tell, kernels take `apply`, which computes with the reference's own integers.
package struct OutputScale: Sendable, Equatable {
  /// The upper 24 of the 31 bits of the reference's multiplier, as a float32 of its size.
  package var scale: Float
  /// Its lower 7 bits are those of the multiplier that `scale` has no room for; less than `roundsTwiceMinimum` where
  /// the reference rounds once.
  package var tieOffset: Float

  /// Half the smallest unit that a sum is first rounded to.
  package static let roundsTwiceMinimum: Float = 0x1p-40
  /// Lost beside any sum that is not zero, and still a normal number, which processors add without delay.
  private static let nothing: Float = 0x1p-64
  private static let hiddenBits: UInt32 = 7

  package init(scale: Float, tieOffset: Float) {
    self.scale = scale
    self.tieOffset = tieOffset
  }

  /// - Precondition: the ratio is finite and not negative.
  package init(_ ratio: Double, roundsTwice: Bool) {
    let fixed = FixedPointScale(ratio)
    let hidden = UInt32(fixed.multiplier) & (1 << Self.hiddenBits - 1)
    let upper = Double(UInt32(fixed.multiplier) - hidden)
    scale = Float(upper * Self.powerOfTwo(fixed.exponent - 31))
    let offset =
      roundsTwice && fixed.exponent < 0
      ? Float(Self.powerOfTwo(fixed.exponent - 1)) : Self.nothing
    tieOffset = Float(bitPattern: offset.bitPattern | hidden)
  }

  /// The code of a sum less the zero point, not yet bounded, rounded as the reference rounds.
  package func apply(_ sum: Int32) -> Int32 {
    guard scale > 0, scale.exponent > -33, scale.exponent < 31 else { return 0 }
    let hidden = Int64(tieOffset.bitPattern & (1 << Self.hiddenBits - 1))
    let multiplier = Int64(scale.significandBitPattern | 1 << 23) << Int64(Self.hiddenBits) | hidden
    let product = Int64(sum) * multiplier
    let right = Int64(-1 - scale.exponent)
    let code: Int64
    if tieOffset >= Self.roundsTwiceMinimum, right > 0 {
      let high = (product + (1 << 30)) >> 31
      code = (high + 1 << (right - 1) + high >> 63) >> right
    } else {
      let shift = 31 + right
      code = shift > 0 ? (product + 1 << (shift - 1)) >> shift : product
    }
    return Int32(clamping: code)
  }

  private static func powerOfTwo(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }
}
