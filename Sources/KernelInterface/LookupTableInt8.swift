/// A table of 256 int8 codes: entry `code + 128` is the output for input `code`.
///
/// The prepared program keeps it; kernels read it in place.
package struct LookupTableInt8: Sendable, Equatable {
  /// 256 entries.
  package var entries: [Int8]

  /// Tabulates `function` over every input code, quantised half away from zero and saturated.
  package init(
    inputScale: Float, inputZeroPoint: Int32, outputScale: Float, bounds: OutputBoundsInt8,
    _ function: (Double) -> Double
  ) {
    entries = (-128...127).map { code in
      let real = function(Double(inputScale) * Double(code - Int(inputZeroPoint)))
      let scaled = (real / Double(outputScale)).rounded(.toNearestOrAwayFromZero)
      let lowest = Double(bounds.minimum - bounds.zeroPoint)
      let highest = Double(bounds.maximum - bounds.zeroPoint)
      return Int8(Int32(max(lowest, min(highest, scaled))) + bounds.zeroPoint)
    }
  }
}
