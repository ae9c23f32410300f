/// `eˣ` without the C library, to about one unit in the last place of `Double`.
///
/// `x = k · ln 2 + r` with |r| ≤ ln 2 / 2, then the Taylor series of `eʳ` to r¹³ (remainder below 2⁻⁵³) times 2ᵏ.
/// Beyond ±745 the result is 0 or infinity; NaN stays NaN.
package func exponential(_ x: Double) -> Double {
  guard x == x else { return x }
  guard x < 709.78 else { return .infinity }
  guard x > -745 else { return 0 }
  let k = (x * 1.4426950408889634).rounded(.toNearestOrEven)
  // ln 2 in two parts, so that the product with k loses nothing.
  let r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10
  var sum = 1.0
  var divisor = 13.0
  while divisor >= 1 {
    sum = 1 + sum * r / divisor
    divisor -= 1
  }
  // Two factors, so that neither leaves the exponent's range.
  let half = Int(k) / 2
  return sum * Double(sign: .plus, exponent: half, significand: 1)
    * Double(sign: .plus, exponent: Int(k) - half, significand: 1)
}

/// `1 / (1 + e⁻ˣ)`.
package func logistic(_ x: Double) -> Double { 1 / (1 + exponential(-x)) }

/// The hyperbolic tangent, accurate near zero to an absolute error of about 2⁻⁵³.
package func hyperbolicTangent(_ x: Double) -> Double {
  let e = exponential(-2 * (x < 0 ? -x : x))
  let magnitude = (1 - e) / (1 + e)
  return x < 0 ? -magnitude : magnitude
}
