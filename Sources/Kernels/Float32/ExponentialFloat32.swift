import CVector

/// `eˣ` to about one unit in the last place; 0 below −87.3, infinity above 88.7, NaN for NaN.
///
/// `x = k · ln 2 + r` with |r| ≤ ln 2 / 2; `eʳ` by its Taylor series to r⁷ (remainder below 2⁻²⁷), then times 2ᵏ by the
/// exponent bits.
@inline(__always)
func exponentialFloat32(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let bounded = cv_clamp_keeping_nan_x16(
    x, SIMD16(repeating: -87.336_544), SIMD16(repeating: 88.722_83))
  // Bounded once more for the conversion, where NaN must become a number.
  let turns = cv_clamp_x16(
    bounded * SIMD16(repeating: 1.442_695_04), SIMD16(repeating: -126), SIMD16(repeating: 128))
  let k = cv_nearest_x16(turns)
  let sum = exponentialOfRest(bounded, k)
  // 2ᵏ in two factors: k = 128 has no exponent of its own.
  let half = cv_shift_right_x16(k, 1)
  let value = sum * cv_power_of_two_x16(half) * cv_power_of_two_x16(k &- half)
  let huge = SIMD16<Float>(repeating: 88.722_83)
  let high = cv_select_below_x16(huge, x, value, SIMD16(repeating: .infinity))
  return cv_select_below_x16(x, SIMD16(repeating: -87.336_544), high, SIMD16(repeating: 0))
}

/// `e^(x − k · ln 2)` where that is near 1.
@inline(__always)
private func exponentialOfRest(_ x: SIMD16<Float>, _ k: SIMD16<Int32>) -> SIMD16<Float> {
  let whole = cv_to_float_x16(k)
  // ln 2 in two parts, so that the product with k loses nothing.
  var r = cv_multiply_add_x16(x, whole, SIMD16(repeating: -0.693_359_375))
  r = cv_multiply_add_x16(r, whole, SIMD16(repeating: 2.121_944_4e-4))
  var sum = SIMD16<Float>(repeating: 1.984_127e-4)
  sum = cv_multiply_add_x16(SIMD16(repeating: 1.388_888_9e-3), sum, r)
  sum = cv_multiply_add_x16(SIMD16(repeating: 8.333_333_3e-3), sum, r)
  sum = cv_multiply_add_x16(SIMD16(repeating: 4.166_666_7e-2), sum, r)
  sum = cv_multiply_add_x16(SIMD16(repeating: 0.166_666_67), sum, r)
  sum = cv_multiply_add_x16(SIMD16(repeating: 0.5), sum, r)
  // 1 + r is added last, so that its rounding is the only one that counts.
  return cv_multiply_add_x16(r, sum * r, r) + SIMD16(repeating: 1)
}

/// `1 / (1 + e⁻ˣ)`; 0 below −87.
@inline(__always)
func logisticFloat32(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let (lowest, one) = (SIMD16<Float>(repeating: -87), SIMD16<Float>(repeating: 1))
  // Within these bounds 2ᵏ is a normal number.
  let bounded = cv_clamp_keeping_nan_x16(
    SIMD16(repeating: 0) - x, lowest, SIMD16(repeating: 87))
  // Of NaN any whole number will do: what it multiplies is NaN.
  let k = cv_nearest_x16(bounded * SIMD16(repeating: 1.442_695_04))
  let e = exponentialOfRest(bounded, k) * cv_power_of_two_x16(k)
  return cv_select_below_x16(x, lowest, one / (one + e), SIMD16(repeating: 0))
}

/// The hyperbolic tangent: a rational function below 0.625, so that nothing cancels, `1 − 2 / (e²ˣ + 1)` above.
@inline(__always)
func hyperbolicTangentFloat32(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let magnitude = cv_abs_x16(x)
  let one = SIMD16<Float>(repeating: 1)
  let e = exponentialFloat32(magnitude + magnitude)
  let large = one - SIMD16(repeating: 2) / (e + one)
  // Continued fraction x / (1 + x² / (3 + x² / (5 + x² / (7 + x² / 9)))), remainder below 2⁻²⁷ here.
  let square = x * x
  let numerator =
    (square + SIMD16(repeating: 105)) * square + SIMD16(repeating: 945)
  let denominator =
    (SIMD16(repeating: 15) * square + SIMD16(repeating: 420)) * square + SIMD16(repeating: 945)
  let small = magnitude * numerator / denominator
  let value = cv_select_below_x16(magnitude, SIMD16(repeating: 0.625), large, small)
  return cv_copy_sign_x16(value, x)
}
