/// The exponentials of every difference between two int8 codes, in 2⁻³¹, for softmax in integers.
///
/// Entry `d` is `exp(−d · inputScale · beta)`, and −1 where the difference counts for nothing.
///
/// - Source: the fixed-point softmax of TensorFlow Lite's reference kernels, whose arguments of the exponential have
/// 5 bits before the point, and the algorithms of the gemmlowp library.
package struct SoftmaxTableInt16: Sendable, Equatable {
  /// 256 entries.
  package var entries: [Int32]

  /// - Precondition: `inputScale · beta` is finite and not negative.
  package init(inputScale: Float, beta: Float) {
    let ratio = min(Double(beta) * Double(inputScale) * 0x1p26, 0x1p31 - 1)
    let scale = FixedPointScale(ratio)
    let farthest = (31 * 0x1p26 / Double(1 << max(scale.exponent, 0))).rounded(.down)
    entries = (0..<256).map { difference in
      Double(difference) > farthest ? -1 : Self.exponential(scale.apply(Int32(-difference)))
    }
  }

  /// `eˣ` in 2⁻³¹ of an `x` in 2⁻²⁶ that is not positive.
  private static func exponential(_ x: Int32) -> Int32 {
    if x == 0 { return .max }
    let quarter: Int32 = 1 << 24
    let within = (x & (quarter - 1)) - quarter
    var result = exponentialNearZero(shifted(within, by: 5))
    let quarters = within &- x
    // e^(−2^k) in 2⁻³¹ for k from −2.
    let powers: [Int32] = [
      1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242,
    ]
    for (place, power) in powers.enumerated() where quarters & (quarter << Int32(place)) != 0 {
      result = fixedPointProduct(result, power)
    }
    return result
  }

  /// `eˣ` for `x` from −1/4 to below 0, both in 2⁻³¹: the series around −1/8.
  private static func exponentialNearZero(_ a: Int32) -> Int32 {
    let (center, third): (Int32, Int32) = (1_895_147_668, 715_827_883)
    let x = a &+ (1 << 28)
    let square = fixedPointProduct(x, x)
    let cube = fixedPointProduct(square, x)
    let quarterOfFourth = roundedHalving(fixedPointProduct(square, square), times: 2)
    let inner = fixedPointProduct(quarterOfFourth &+ cube, third) &+ square
    return center &+ fixedPointProduct(center, x &+ roundedHalving(inner, times: 1))
  }

  private static func shifted(_ value: Int32, by bits: Int) -> Int32 {
    Int32(clamping: Int64(value) << Int64(bits))
  }

  /// `value / 2^times`, half away from zero.
  private static func roundedHalving(_ value: Int32, times: Int32) -> Int32 {
    let mask = (Int32(1) << times) - 1
    let threshold = (mask >> 1) + (value < 0 ? 1 : 0)
    return (value >> times) + (value & mask > threshold ? 1 : 0)
  }
}

/// The product of two fractions of 2⁻³¹, half away from zero.
private func fixedPointProduct(_ a: Int32, _ b: Int32) -> Int32 {
  if a == .min && b == .min { return .max }
  let product = Int64(a) * Int64(b)
  return Int32((product + (product >= 0 ? 1 << 30 : 1 - (1 << 30))) / (1 << 31))
}

/// Softmax of int8 codes to int16 codes of 2⁻¹⁶ from −32768 on; the maker vouches for the pointers.
@safe package struct SoftmaxWideArguments {
  /// The entries of a `SoftmaxTableInt16`.
  package var table: UnsafePointer<Int32>
  package var columns: Int
  package var input: UnsafePointer<Int8>
  package var output: UnsafeMutablePointer<Int16>

  package init(
    table: UnsafePointer<Int32>, columns: Int, input: UnsafePointer<Int8>,
    output: UnsafeMutablePointer<Int16>
  ) {
    unsafe self.table = table
    self.columns = columns
    unsafe self.input = input
    unsafe self.output = output
  }
}
