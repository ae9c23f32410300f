/// Functions of 16-bit fixed-point numbers, in integers throughout, so that every processor gives the same bits.
///
/// - Source: the algorithms of the gemmlowp library: `eˣ` by its Taylor series within a quarter and by a product of
/// powers beyond, quotients by three steps of Newton and Raphson.

@inline(__always)
func saturated16(_ value: Int32) -> Int16 {
  Int16(truncatingIfNeeded: min(max(value, -32768), 32767))
}

/// `value / 2^shift`, half away from zero.
@inline(__always)
func roundedShift(_ value: Int32, _ shift: Int) -> Int32 {
  guard shift > 0 else { return value }
  let mask = (Int32(1) &<< Int32(shift)) &- 1
  let threshold = (mask &>> 1) &+ (value < 0 ? 1 : 0)
  return (value &>> Int32(shift)) &+ (value & mask > threshold ? 1 : 0)
}

/// `value · 2^shift`, saturated.
@inline(__always)
private func saturatedShift(_ value: Int16, _ shift: Int) -> Int16 {
  saturated16(Int32(value) &<< Int32(shift))
}

/// The product of two fractions of 2⁻¹⁵, half away from zero.
@inline(__always)
private func times(_ a: Int16, _ b: Int16) -> Int16 {
  if a == .min && b == .min { return .max }
  let product = Int32(a) &* Int32(b)
  let nudge: Int32 = product >= 0 ? 1 &<< 14 : 1 &- (1 &<< 14)
  return Int16(truncatingIfNeeded: (product &+ nudge) / (1 &<< 15))
}

/// `eˣ` in 2⁻¹⁵ for `a` from −1/4 to below 0 in 2⁻¹⁵.
@inline(__always)
private func exponentialNearZero(_ a: Int16) -> Int16 {
  // Around −1/8: e^(−1/8) and 1/3.
  let center: Int16 = 28918
  let third: Int16 = 10923
  let x = a &+ (1 &<< 12)
  let square = times(x, x)
  let cube = times(square, x)
  let quarterOfFourth = Int16(roundedShift(Int32(times(square, square)), 2))
  let inner = times(quarterOfFourth &+ cube, third) &+ square
  let rest = x &+ Int16(roundedShift(Int32(inner), 1))
  return saturated16(Int32(center) &+ Int32(times(center, rest)))
}

/// `eˣ` in 2⁻¹⁵ for an `a` that is not positive, with `integerBits` before the point.
@inline(__always)
private func exponentialOfNegative(_ a: Int16, integerBits: Int) -> Int16 {
  if a == 0 { return .max }
  let fractionBits = 15 &- integerBits
  // At least 2 bits of fraction for the quarter.
  let quarter = Int16(1) &<< Int16(fractionBits &- 2)
  let within = (a & (quarter &- 1)) &- quarter
  var result = exponentialNearZero(saturatedShift(within, integerBits))
  let quarters = within &- a
  // e^(−2^k) in 2⁻¹⁵ for k from −2.
  let powers: (Int16, Int16, Int16, Int16, Int16, Int16, Int16) = (
    25520, 19875, 12055, 4435, 600, 11, 0
  )
  func apply(_ exponent: Int, _ power: Int16) {
    guard integerBits > exponent else { return }
    if quarters & (Int16(1) &<< Int16(fractionBits &+ exponent)) != 0 {
      result = times(result, power)
    }
  }
  apply(-2, powers.0)
  apply(-1, powers.1)
  apply(0, powers.2)
  apply(1, powers.3)
  apply(2, powers.4)
  apply(3, powers.5)
  apply(4, powers.6)
  if integerBits > 5, a < -(Int16(1) &<< Int16(fractionBits &+ 5)) { return 0 }
  return result
}

/// `1 / ((1 + a) / 2)` in 2⁻¹³ for `a` from 0 to 1 in 2⁻¹⁵.
@inline(__always)
private func reciprocalOfHalf(_ a: Int16) -> Int16 {
  let half = Int16(truncatingIfNeeded: (Int32(a) &+ 32767 &+ 1) / 2)
  // 48/17 − 32/17 · d, the best line.
  var x = 23130 &+ times(half, -15420)
  for _ in 0..<3 {
    let error = (1 &<< 13) &- times(half, x)
    x = x &+ saturatedShift(times(x, error), 2)
  }
  return x
}

/// `1 / (1 + e⁻ˣ)` in 2⁻¹⁵ of an `x` in 2⁻¹².
@inline(__always)
func fixedPointLogistic(_ x: Int16) -> Int16 {
  if x == 0 { return 1 &<< 14 }
  // The magnitude of the lowest number wraps to itself, which is negative already.
  let negative = x > 0 ? 0 &- x : x
  let exponential = exponentialOfNegative(negative, integerBits: 3)
  let positive = saturatedShift(reciprocalOfHalf(exponential), 1)
  return x > 0 ? positive : Int16.max &- positive
}

/// The hyperbolic tangent in 2⁻¹⁵ of an `x` with `integerBits` (0 … 6) before the point.
@inline(__always)
func fixedPointTanh(_ x: Int16, integerBits: Int) -> Int16 {
  if x == 0 { return 0 }
  let negative = x > 0 ? 0 &- x : x
  // e²ˣ: the same bits with one more before the point.
  let exponential = exponentialOfNegative(negative, integerBits: integerBits &+ 1)
  let magnitude = saturatedShift(reciprocalOfHalf(exponential) &- (1 &<< 13), 2)
  return x < 0 ? 0 &- magnitude : magnitude
}
