/// Turns scanned decimal numbers into the nearest binary floating-point number, ties to even.
///
/// Short numbers are exact in one floating-point operation (Clinger, "How to read floating point
/// numbers accurately", PLDI 1990). Mantissas of up to 64 bits with exponents of up to 27 are
/// divided or multiplied as integers, which loses nothing. The rest goes to the standard library.
enum DecimalRounding {
  /// The nearest `Float`; infinite when the number is too large.
  @inline(__always)
  static func float(_ number: ScannedNumber, _ bytes: [UInt8], _ range: Range<Int>) -> Float {
    switch number.form {
    case .nan: return .nan
    case .infinity: return number.isNegative ? -.infinity : .infinity
    case .integer, .decimal: break
    }
    if let magnitude = shortDouble(number) {
      // Rounding twice errs only when the first result lies halfway between two floats, or
      // where floats are subnormal.
      let isHalfway = magnitude.significandBitPattern & 0x1FFF_FFFF == 0x1000_0000
      if !isHalfway, magnitude >= 0x1p-126 || magnitude == 0 {
        return number.isNegative ? -Float(magnitude) : Float(magnitude)
      }
    }
    return floatSlowly(number, bytes, range)
  }

  /// The nearest `Double`; infinite when the number is too large.
  @inline(__always)
  static func double(_ number: ScannedNumber, _ bytes: [UInt8], _ range: Range<Int>) -> Double {
    switch number.form {
    case .nan: return .nan
    case .infinity: return number.isNegative ? -.infinity : .infinity
    case .integer, .decimal: break
    }
    if let magnitude = shortDouble(number) { return number.isNegative ? -magnitude : magnitude }
    return doubleSlowly(number, bytes, range)
  }

  /// The magnitude, when it is one exact operation away.
  @inline(__always)
  private static func shortDouble(_ number: ScannedNumber) -> Double? {
    guard number.isExact, number.mantissa <= 1 << 53, -22...22 ~= number.exponent else {
      return nil
    }
    let mantissa = Double(number.mantissa)
    return number.exponent < 0
      ? mantissa / powersOfTen[-number.exponent] : mantissa * powersOfTen[number.exponent]
  }

  private static func floatSlowly(
    _ number: ScannedNumber, _ bytes: [UInt8], _ range: Range<Int>
  ) -> Float {
    if let (significand, exponent) = rounded(number, precision: 24), -126...127 ~= exponent {
      return Float(
        sign: number.isNegative ? .minus : .plus, exponentBitPattern: UInt(exponent + 127),
        significandBitPattern: UInt32(significand) & 0x7F_FFFF)
    }
    return Float(String(decoding: bytes[range], as: UTF8.self)) ?? .nan
  }

  private static func doubleSlowly(
    _ number: ScannedNumber, _ bytes: [UInt8], _ range: Range<Int>
  ) -> Double {
    if let (significand, exponent) = rounded(number, precision: 53), -1022...1023 ~= exponent {
      return Double(
        sign: number.isNegative ? .minus : .plus, exponentBitPattern: UInt(exponent + 1023),
        significandBitPattern: significand & 0xF_FFFF_FFFF_FFFF)
    }
    return Double(String(decoding: bytes[range], as: UTF8.self)) ?? .nan
  }

  /// The number rounded to `precision` significant bits: `significand · 2^(exponent − precision + 1)`
  /// with the significand's top bit set. Nil when exact integers do not hold it.
  private static func rounded(
    _ number: ScannedNumber, precision: Int
  ) -> (significand: UInt64, exponent: Int)? {
    guard number.isExact, number.mantissa != 0, -27...27 ~= number.exponent else { return nil }
    // value = (quotient + a fraction when isInexact) · 2^scale, the quotient's top bit set.
    var quotient: UInt64
    var scale: Int
    var isInexact: Bool
    let power = powersOfFive[abs(number.exponent)]
    if number.exponent < 0 {
      let divisorShift = power.leadingZeroBitCount
      let mantissaShift = number.mantissa.leadingZeroBitCount
      // One bit lower than the divisor, so that the quotient fits in 64 bits.
      let dividend = number.mantissa << UInt64(mantissaShift)
      let (result, remainder) = (power << UInt64(divisorShift)).dividingFullWidth(
        (dividend >> 1, dividend << 63))
      quotient = result
      isInexact = remainder != 0
      scale = divisorShift - mantissaShift - 63 + number.exponent
    } else {
      let product = number.mantissa.multipliedFullWidth(by: power)
      let shift = product.high == 0 ? 0 : 64 - product.high.leadingZeroBitCount
      quotient = shift == 0 ? product.low : product.low >> UInt64(shift) | product.high << UInt64(64 - shift)
      isInexact = shift > 0 && product.low << UInt64(64 - shift) != 0
      scale = shift + number.exponent
    }
    let normalization = quotient.leadingZeroBitCount
    quotient <<= UInt64(normalization)
    scale -= normalization
    // Half to even on the bits below the precision; at least one of them is left after any shift.
    let dropped = 64 - precision
    var significand = quotient >> UInt64(dropped)
    let rest = quotient & (1 << UInt64(dropped) - 1)
    let half = UInt64(1) << UInt64(dropped - 1)
    if rest > half || (rest == half && (isInexact || significand & 1 == 1)) { significand += 1 }
    var exponent = scale + 63
    if significand >> UInt64(precision) != 0 {
      significand >>= 1
      exponent += 1
    }
    return (significand, exponent)
  }

  /// 10^0 to 10^22, all exact.
  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  /// 5^0 to 5^27, the last that fits.
  private static let powersOfFive: [UInt64] = (0...27).reduce(into: []) { powers, _ in
    powers.append((powers.last ?? 0) == 0 ? 1 : powers.last! * 5)
  }
}
