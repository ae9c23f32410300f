import CVector

/// `eˣ` to about one unit in the last place; 0 below −87.3, infinity above 88.7, NaN for NaN.
///
/// `x = k · ln 2 + r` with |r| ≤ ln 2 / 2; `eʳ` by its Taylor series to r⁷ (remainder below 2⁻²⁷), then times 2ᵏ by the
/// exponent bits.
@inline(__always)
func exponentialFloat32(_ x: SIMD8<Float>) -> SIMD8<Float> {
  let bounded = cv_clamp_keeping_nan(
    x, SIMD8(repeating: -87.336_544), SIMD8(repeating: 88.722_83))
  // Bounded once more for the conversion, where NaN must become a number.
  let turns = cv_clamp(
    bounded * SIMD8(repeating: 1.442_695_04), SIMD8(repeating: -126), SIMD8(repeating: 128))
  let k = cv_round(turns)
  let whole = cv_to_float(k)
  // ln 2 in two parts, so that the product with k loses nothing.
  var r = cv_multiply_add(bounded, whole, SIMD8(repeating: -0.693_359_375))
  r = cv_multiply_add(r, whole, SIMD8(repeating: 2.121_944_4e-4))
  var sum = SIMD8<Float>(repeating: 1.984_127e-4)
  sum = cv_multiply_add(SIMD8(repeating: 1.388_888_9e-3), sum, r)
  sum = cv_multiply_add(SIMD8(repeating: 8.333_333_3e-3), sum, r)
  sum = cv_multiply_add(SIMD8(repeating: 4.166_666_7e-2), sum, r)
  sum = cv_multiply_add(SIMD8(repeating: 0.166_666_67), sum, r)
  sum = cv_multiply_add(SIMD8(repeating: 0.5), sum, r)
  // 1 + r is added last, so that its rounding is the only one that counts.
  sum = cv_multiply_add(r, sum * r, r) + SIMD8(repeating: 1)
  // 2ᵏ in two factors: k = 128 has no exponent of its own.
  let half = cv_shift_right(k, 1)
  let bias = SIMD8<Int32>(repeating: 127)
  let first = cv_bits_to_float((half &+ bias) &<< 23)
  let second = cv_bits_to_float((k &- half &+ bias) &<< 23)
  let value = sum * first * second
  let huge = SIMD8<Float>(repeating: 88.722_83)
  let high = cv_select_below(huge, x, value, SIMD8(repeating: .infinity))
  return cv_select_below(x, SIMD8(repeating: -87.336_544), high, SIMD8(repeating: 0))
}

/// `1 / (1 + e⁻ˣ)`.
@inline(__always)
func logisticFloat32(_ x: SIMD8<Float>) -> SIMD8<Float> {
  let one = SIMD8<Float>(repeating: 1)
  return one / (one + exponentialFloat32(SIMD8(repeating: 0) - x))
}

/// The hyperbolic tangent: a rational function below 0.625, so that nothing cancels, `1 − 2 / (e²ˣ + 1)` above.
@inline(__always)
func hyperbolicTangentFloat32(_ x: SIMD8<Float>) -> SIMD8<Float> {
  let magnitude = cv_abs(x)
  let one = SIMD8<Float>(repeating: 1)
  let e = exponentialFloat32(magnitude + magnitude)
  let large = one - SIMD8(repeating: 2) / (e + one)
  // Continued fraction x / (1 + x² / (3 + x² / (5 + x² / (7 + x² / 9)))), remainder below 2⁻²⁷ here.
  let square = x * x
  let numerator =
    (square + SIMD8(repeating: 105)) * square + SIMD8(repeating: 945)
  let denominator =
    (SIMD8(repeating: 15) * square + SIMD8(repeating: 420)) * square + SIMD8(repeating: 945)
  let small = magnitude * numerator / denominator
  let value = cv_select_below(magnitude, SIMD8(repeating: 0.625), large, small)
  let sign = cv_bits_of_float(x) & SIMD8(repeating: Int32.min)
  return cv_bits_to_float(cv_bits_of_float(value) | sign)
}
