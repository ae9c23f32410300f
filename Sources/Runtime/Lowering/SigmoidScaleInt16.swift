import Glibc
import ModelGraph

/// How int16 codes reach the table of the logistic function.
struct SigmoidScaleInt16: Sendable {
  let isTangent: Bool
  /// At most 15 bits.
  let multiplier: Int32
  /// 0 … 31.
  let shift: Int32

  /// Nil for other functions, and for results in other units than 2⁻¹⁵.
  init?(_ kind: Unary.Kind, input: Float, output: Float) {
    guard kind == .logistic || kind == .tanh, output == 0x1p-15 else { return nil }
    isTangent = kind == .tanh
    // An input in units of 2⁻¹² is three times as much in units of the table.
    guard input != 0x1p-12 else {
      (multiplier, shift) = (3, 0)
      return
    }
    var (scaled, shift) = (Double(input) * 4096 * 3, Int32(0))
    while scaled <= 32767.0 / 2, shift <= 30 {
      shift += 1
      scaled *= 2
    }
    guard scaled < 32768 else { return nil }
    multiplier = Int32(scaled)
    self.shift = shift
  }

  /// The logistic function at multiples of 1/24, in units of 2⁻¹⁶, each moved by half of the most that a chord of this
  /// length is below the curve there.
  static var table: [UInt16] {
    (0..<256).map { index in
      let value = 1 / (1 + Glibc.exp(-Double(index) / 24))
      let curvature = value * (1 - value) * (1 - 2 * value)
      return UInt16(min((65536 * (value - curvature / (24 * 24 * 16))).rounded(), 65535))
    }
  }
}
