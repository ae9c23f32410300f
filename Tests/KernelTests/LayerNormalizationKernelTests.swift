import KernelDispatch
import KernelInterface
import TestSupport
import Testing

@Suite("Layer normalisation")
struct LayerNormalizationKernelTests {
  @Test(
    "rows are near the formula, in place too", arguments: KernelTable.supported,
    [1, 2, 15, 16, 17, 47, 48, 128])
  func normalizes(table: KernelTable, columns: Int) {
    var random = SplitMix64(seed: UInt64(columns))
    let rows = 5
    let input = random.floats(rows * columns).map { 3 * $0 + 1 }
    let (factors, offsets) = (random.floats(columns), random.floats(columns))
    for (subtractsMeanFirst, hasFactors, hasOffsets) in [
      (false, false, false), (false, true, false), (false, true, true), (true, false, true),
      (true, true, true),
    ] {
      var output = input
      unsafe factors.withUnsafeBufferPointer { factors in
        unsafe offsets.withUnsafeBufferPointer { offsets in
          unsafe output.withUnsafeMutableBufferPointer { output in
            let arguments = unsafe LayerNormalizationArguments(
              epsilon: 0.125, subtractsMeanFirst: subtractsMeanFirst, columns: columns,
              input: UnsafePointer(output.baseAddress!),
              factors: hasFactors ? factors.baseAddress : nil,
              offsets: hasOffsets ? offsets.baseAddress : nil, output: output.baseAddress!)
            table.general.layerNormalize(arguments, 3..<rows)
            table.general.layerNormalize(arguments, 0..<3)
          }
        }
      }
      for row in 0..<rows {
        let values = input[row * columns..<(row + 1) * columns].map(Double.init)
        let mean = values.reduce(0, +) / Double(columns)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
        for column in 0..<columns {
          let factor = hasFactors ? Double(factors[column]) : 1
          let offset = hasOffsets ? Double(offsets[column]) : 0
          let expected =
            (values[column] - mean) / (variance + 0.125).squareRoot() * factor + offset
          #expect(
            abs(Double(output[row * columns + column]) - expected) < 1e-5,
            "\(table.name), row \(row), column \(column)")
        }
      }
    }
  }
}
