/// A function of an int16 code at 513 places, 128 codes apart, to be interpolated.
///
/// - Source: TensorFlow Lite's tables for int16, whose entries are moved by half of the error in the middle of each step.
package struct LookupTableInt16: Sendable, Equatable {
  /// The function of code `(i − 256) · 128`, as output codes.
  package var entries: [Int16]

  /// - Parameter lastCode: where the last entry is taken; the reference's own tables end at 32767, a code early.
  /// - Precondition: scales are finite and positive.
  package init(
    inputScale: Double, inputZeroPoint: Int, outputScale: Double, lastCode: Int = 32768,
    _ function: (Double) -> Double
  ) {
    let lowest = inputScale * Double(-32768 - inputZeroPoint)
    let highest = inputScale * Double(lastCode - inputZeroPoint)
    let step = (highest - lowest) / 512
    func code(_ value: Double) -> Double { value.rounded(.toNearestOrAwayFromZero) }
    func entry(_ value: Double) -> Int16 { Int16(max(-32768, min(32767, value))) }
    entries = (0..<512).map { index in
      let start = lowest + Double(index) * step
      let value = function(start) / outputScale
      let next = function(start + step) / outputScale
      let middle = code(function(start + step / 2) / outputScale)
      let error = code((next + code(value)) / 2) - middle
      return entry(code(value) - code(error / 2))
    }
    entries.append(entry(code(function(highest) / outputScale)))
  }

  /// `exp(x)` for x from −10 to 0, in units of 2/65535.
  package static var exponential: LookupTableInt16 {
    LookupTableInt16(
      inputScale: 10.0 / 65535, inputZeroPoint: 32767, outputScale: 2.0 / 65535,
      lastCode: 32767
    ) { KernelInterface.exponential($0) }
  }

  /// `1 / (1 + x)` for x from 0 to 1, in units of 2/65535.
  package static var reciprocal: LookupTableInt16 {
    LookupTableInt16(
      inputScale: 1.0 / 65535, inputZeroPoint: -32768, outputScale: 2.0 / 65535,
      lastCode: 32767
    ) { 1 / (1 + $0) }
  }
}
