/// How an int32 sum becomes a code: `rint(y + copysign(tieOffset, y))` of `y = sum · scale`, half to even.
///
/// The reference kernels round a convolution's sum twice: to a whole number of `2^(exponent)` units of the output, half
/// up, and then to a whole code, half away from zero. A floor of a floor is one floor, so both together are one rounding
/// of a value moved away from zero by half such a unit, which is `tieOffset`. What is left is float32's own rounding of
/// the product, which tells in about one of 10⁵ elements; a single rounding differs in about one of 100.
package struct OutputScale: Sendable, Equatable {
  package var scale: Float
  /// 0 where the reference rounds once.
  package var tieOffset: Float

  /// - Precondition: the ratio is finite and not negative.
  package init(_ ratio: Double, roundsTwice: Bool) {
    let fixed = FixedPointScale(ratio)
    scale = Float(Double(fixed.multiplier) * OutputScale.powerOfTwo(fixed.exponent - 31))
    tieOffset =
      roundsTwice && fixed.exponent < 0
      ? Float(OutputScale.powerOfTwo(fixed.exponent - 1)) : 0
  }

  private static func powerOfTwo(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }
}
