/// A function of an int16 code at 513 places, 128 codes apart, to be interpolated.
///
/// - Source: TensorFlow Lite's tables for int16, whose entries are moved by half of the error in the middle of each step.
package struct LookupTableInt16: Sendable, Equatable {
  /// The function of code `(i − 256) · 128`, as output codes.
  package var entries: [Int16]

  /// As the reference has it, the last entry is taken at the greatest code, one early, and a code of the output is
  /// 65535/65536 of its scale.
  /// - Precondition: scales are finite and positive.
  package init(
    inputScale: Double, inputZeroPoint: Int, outputScale: Double, _ function: (Double) -> Double
  ) {
    let lowest = inputScale * Double(-32768 - inputZeroPoint)
    let highest = inputScale * Double(32767 - inputZeroPoint)
    let step = (highest - lowest) / 512
    let inverse = 65536 / (65535 * outputScale)
    func code(_ value: Double) -> Double { value.rounded(.toNearestOrAwayFromZero) }
    func entry(_ value: Double) -> Int16 {
      // A function may have no value, or no finite one.
      value.isNaN ? -32768 : Int16(max(-32768, min(32767, value)))
    }
    entries = (0..<512).map { index in
      let start = lowest + Double(index) * step
      let value = function(start) * inverse
      let next = function(start + step) * inverse
      let middle = code(function(start + step / 2) * inverse)
      let error = code((next + code(value)) / 2) - middle
      return entry(code(value) - code(error / 2))
    }
    entries.append(entry(code(function(highest) * inverse)))
  }

  /// `exp(x)` for x from −10 to 0, in units of 2/65535.
  package static var exponential: LookupTableInt16 {
    LookupTableInt16(
      inputScale: 10.0 / 65535, inputZeroPoint: 32767, outputScale: 2.0 / 65535
    ) { KernelInterface.exponential($0) }
  }

  /// `1 / (1 + x)` for x from 0 to 1, in units of 2/65535.
  package static var reciprocal: LookupTableInt16 {
    LookupTableInt16(
      inputScale: 1.0 / 65535, inputZeroPoint: -32768, outputScale: 2.0 / 65535
    ) { 1 / (1 + $0) }
  }
}
