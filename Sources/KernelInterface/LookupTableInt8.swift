/// A table of 256 int8 codes: entry `code + 128` is the output for input `code`.
///
/// The prepared program keeps it; kernels read it in place.
package struct LookupTableInt8: Sendable, Equatable {
  /// 256 entries.
  package var entries: [Int8]

  /// - Precondition: there are 256.
  package init(entries: [Int8]) {
    precondition(entries.count == 256, "a table has 256 entries, not \(entries.count)")
    self.entries = entries
  }

  /// Tabulates a function from codes less `inputZeroPoint` to codes less the output's zero point.
  package init(
    inputZeroPoint: Int32, bounds: OutputBoundsInt8, codes function: (Int32) -> Int32
  ) {
    entries = (-128...127).map { code in
      let steps = function(Int32(code) - inputZeroPoint).addingReportingOverflow(bounds.zeroPoint)
      guard !steps.overflow else { return Int8(bounds.maximum) }
      return Int8(min(max(steps.partialValue, bounds.minimum), bounds.maximum))
    }
  }

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
