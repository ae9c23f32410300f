import KernelInterface
import ModelGraph

/// A function of int8 codes in the reference kernels' own integer arithmetic.
///
/// - Source: TensorFlow Lite's reference kernels of `HARD_SWISH`, `LEAKY_RELU`, the relu family and `QUANTIZE`.
struct CodeFunction {
  typealias Scheme = (scale: Float, zeroPoint: Int32)

  /// From an input code less its zero point to an output code less its zero point, not yet bounded.
  let steps: (Int32) -> Int32

  /// Nil for a function that the reference computes in floating point.
  init?(_ unary: Unary, input: Scheme, output: Scheme) {
    switch unary.kind {
    case .relu, .relu6, .reluN1To1, .relu0To1:
      // The bounds are those of the output's codes.
      let scale = FixedPointScale(Double(input.scale / output.scale))
      steps = { scale.apply($0) }
    case .leakyRelu:
      let above = FixedPointScale(Double(input.scale / output.scale))
      let ratio = Double(input.scale * unary.slope / output.scale)
      guard ratio >= 0 else { return nil }
      let below = FixedPointScale(ratio)
      steps = { ($0 >= 0 ? above : below).apply($0) }
    case .hardSwish:
      guard let swish = HardSwishCodes(input: input.scale, output: output.scale) else {
        return nil
      }
      steps = swish.steps
    default: return nil
    }
  }

  /// Another quantisation of the same numbers.
  init(requantizing input: Scheme, to output: Scheme) {
    let scale = FixedPointScale(Double(input.scale) / Double(output.scale))
    steps = { scale.apply($0) }
  }
}

/// `x · relu6(x + 3) / 6` with 16-bit intermediate results.
private struct HardSwishCodes {
  /// Of the input at 2⁻⁷ of its scale, to the output's scale and to 3 · 2⁻¹⁵.
  private let output: NarrowScale
  private let gate: NarrowScale

  init?(input: Float, output outputScale: Float) {
    let fine = Float(0x1p-7) * input
    output = NarrowScale(Double(fine / outputScale))
    gate = NarrowScale(Double(fine / (Float(3) / 32768)))
    guard output.exponent <= 0, output.exponent > -16, (-15...15).contains(gate.exponent) else {
      return nil
    }
  }

  func steps(_ value: Int32) -> Int32 {
    let fine = value * 128
    let unshifted = roundedHighProduct(fine, output.multiplier)
    var share = fine
    if gate.exponent > 0 { share = saturated(share << Int32(gate.exponent - 1)) }
    share = roundedHighProduct(share, gate.multiplier)
    if gate.exponent > 0 { share = saturated(share << 1) }
    if gate.exponent < 0 { share = roundedShift(share, by: -gate.exponent) }
    share = (share + (1 << 15)) >> 1
    let product = saturated(share * unshifted / (1 << 15))
    return roundedShift(product, by: -output.exponent)
  }

  private func saturated(_ value: Int32) -> Int32 { min(max(value, -32768), 32767) }

  /// Half up, of the doubled product's upper 16 bits.
  private func roundedHighProduct(_ a: Int32, _ b: Int32) -> Int32 {
    let product = a * b
    return saturated((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15))
  }

  /// Half away from zero.
  private func roundedShift(_ value: Int32, by bits: Int) -> Int32 {
    guard bits > 0 else { return value }
    let mask = Int32(1) << Int32(bits) - 1
    let threshold = mask >> 1 + (value < 0 ? 1 : 0)
    return value >> Int32(bits) + (value & mask > threshold ? 1 : 0)
  }
}

/// A fixed-point scale whose multiplier is rounded to 16 bits.
private struct NarrowScale {
  let multiplier: Int32
  let exponent: Int

  init(_ ratio: Double) {
    let wide = FixedPointScale(ratio)
    exponent = wide.exponent
    multiplier =
      wide.multiplier >= Int32.max - (1 << 15) ? 32767 : (wide.multiplier + (1 << 15)) >> 16
  }
}
