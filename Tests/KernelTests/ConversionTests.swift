import KernelDispatch
import KernelInterface
import TestSupport
import Testing

@Suite("Conversions and layout")
struct ConversionTests {
  static let counts = [0, 1, 7, 8, 9, 15, 16, 17, 100]

  private func quantize(_ table: KernelTable, _ input: [Float], _ scale: Float) -> [Int8] {
    var output = [Int8](repeating: 0, count: input.count)
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        guard let first = input.baseAddress else { return }
        unsafe table.quantizeInt8(
          QuantizeArguments(
            scale: scale, bounds: .init(zeroPoint: 10), count: input.count, input: first,
            output: output.baseAddress!))
      }
    }
    return output
  }

  @Test("quantise rounds half away from zero", arguments: KernelTable.supported, counts)
  func quantizes(table: KernelTable, count: Int) {
    var random = SplitMix64(seed: 0x71)
    let input = random.floats(count, -20...20)
    let expected = input.map {
      Int8(min(max(($0 / 0.1).rounded(.toNearestOrAwayFromZero) + 10, -128), 127))
    }
    #expect(quantize(table, input, 0.1) == expected)
  }

  @Test("quantise bounds what no code stands for", arguments: KernelTable.supported)
  func quantizesExtremes(table: KernelTable) {
    let input: [Float] = [.infinity, -.infinity, .nan, 3e38, -3e38, 0.5, -0.5, 1.5, -1.5, 0.49999997]
    #expect(quantize(table, input, 1) == [127, -128, -128, 127, -128, 11, 9, 12, 8, 10])
  }

  @Test("dequantise is exact", arguments: KernelTable.supported, counts)
  func dequantizes(table: KernelTable, count: Int) {
    var random = SplitMix64(seed: 0x72)
    let input = random.codes(count)
    var output = [Float](repeating: 0, count: count)
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        guard let first = input.baseAddress else { return }
        unsafe table.dequantizeInt8(
          DequantizeArguments(
            scale: 0.037, zeroPoint: -5, count: count, input: first, output: output.baseAddress!))
      }
    }
    #expect(output == input.map { Float(Int32($0) + 5) * 0.037 })
  }

  @Test("requantise rounds half to even and saturates", arguments: KernelTable.supported, counts)
  func requantizes(table: KernelTable, count: Int) {
    var random = SplitMix64(seed: 0x73)
    let input = random.codes(count)
    for scale in [0.5, 1.5, 900, 1e30] as [Float] {
      var output = [Int8](repeating: 0, count: count)
      unsafe input.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output in
          guard let first = input.baseAddress else { return }
          unsafe table.requantizeInt8(
            RequantizeArguments(
              scale: scale, inputZeroPoint: 3, bounds: .init(zeroPoint: -2, maximum: 120),
              count: count, input: first, output: output.baseAddress!))
        }
      }
      let bounds = OutputBoundsInt8(zeroPoint: -2, maximum: 120)
      #expect(output == input.map { requantized(Int32($0) - 3, scale, bounds) })
    }
  }

  @Test("rows are copied between strides and nothing else is written", arguments: KernelTable.supported)
  func copiesRows(table: KernelTable) {
    let input = (0..<60).map { UInt8($0) }
    var output = [UInt8](repeating: 0xEE, count: 60)
    unsafe input.withUnsafeBytes { input in
      unsafe output.withUnsafeMutableBytes { output in
        unsafe table.copyRows(
          CopyRowsArguments(
            rows: 4, rowBytes: 7, input: input.baseAddress!, inputStrideBytes: 10,
            output: output.baseAddress! + 2, outputStrideBytes: 13))
      }
    }
    let expected = (0..<60).map { i -> UInt8 in
      let (row, column) = ((i - 2) / 13, (i - 2) % 13)
      return i >= 2 && row < 4 && column < 7 ? UInt8(row * 10 + column) : 0xEE
    }
    #expect(output == expected)
  }

  @Test("an element of any size is repeated", arguments: KernelTable.supported, [1, 2, 4, 8])
  func fills(table: KernelTable, elementBytes: Int) {
    var output = [UInt8](repeating: 0, count: 60)
    let count = 56 / elementBytes - 1
    unsafe output.withUnsafeMutableBytes { output in
      unsafe table.fill(
        FillArguments(
          pattern: 0x8877_6655_4433_2211, elementBytes: elementBytes, count: count,
          output: output.baseAddress!))
    }
    let expected = (0..<60).map { i -> UInt8 in
      i < count * elementBytes ? UInt8(0x11 * (i % elementBytes + 1)) : 0
    }
    #expect(output == expected)
  }
}

@Suite("Functions of double precision")
struct ExponentialTests {
  @Test("known values")
  func knownValues() {
    #expect(exponential(0) == 1)
    #expect(abs(exponential(1) - 2.718281828459045) <= 2 * 2.718281828459045.ulp)
    #expect(abs(exponential(-20) / 2.061153622438558e-9 - 1) <= 1e-15)
    #expect(abs(exponential(700) / 1.0142320547350045e304 - 1) <= 1e-15)
    #expect(exponential(800) == .infinity)
    #expect(exponential(-800) == 0)
    #expect(exponential(.nan).isNaN)
    #expect(abs(hyperbolicTangent(0.5) - 0.46211715726000973) < 1e-15)
    #expect(hyperbolicTangent(-40) == -1)
    #expect(logistic(0) == 0.5)
  }
}

@Suite("Fixed-point scales")
struct FixedPointScaleTests {
  @Test("a scale is within one of the real product", arguments: [1e-5, 0.003, 0.5, 1, 1.7, 900] as [Double])
  func isClose(ratio: Double) {
    var random = SplitMix64(seed: 0xF1)
    for divisor in [1, 2, 7, 49, 3136] {
      let scale = FixedPointScale(ratio, dividedBy: divisor)
      for _ in 0..<1000 {
        let value = Int32.random(in: -400_000...400_000, using: &random)
        let real = Double(value) * ratio / Double(divisor)
        guard abs(Double(scale.apply(value)) - real) <= 1 else {
          Issue.record("\(value) · \(ratio) / \(divisor) became \(scale.apply(value))")
          return
        }
      }
    }
  }

  @Test("rounds twice: 7/16 becomes 4/8 and then 1")
  func roundsTwice() {
    #expect(FixedPointScale(0.0625).apply(7) == 1)
    #expect(FixedPointScale(0.0625).apply(6) == 0)
    #expect(FixedPointScale(0.5).apply(1) == 1)
    #expect(FixedPointScale(0.5).apply(-1) == 0)
  }

  @Test("degenerate ratios do not trap", arguments: [0, 1e-300, 1e300] as [Double])
  func degenerate(ratio: Double) {
    #expect(FixedPointScale(ratio).apply(0) == 0)
    #expect((FixedPointScale(ratio).apply(1000) > 0) == (ratio > 1))
  }
}

@Suite("Tables")
struct KernelTableTests {
  @Test("the baseline comes first and the names find their tables")
  func names() {
    #expect(KernelTable.supported[0].name == KernelTable.builtInNames[0])
    for table in KernelTable.supported {
      #expect(KernelTable.named(table.name)?.name == table.name)
    }
    #expect(KernelTable.best.name == KernelTable.supported.last?.name)
    #expect(KernelTable.named("none") == nil)
  }

  @Test(
    "the kernel tests reach every table that is built in",
    .enabled(
      if: KernelTable.supported.count == KernelTable.builtInNames.count,
      "this processor cannot run all tables: the others are not tested here"))
  func reachesAll() {
    #expect(KernelTable.supported.map(\.name) == KernelTable.builtInNames)
  }

  @Test("a row block holds whole tiles", arguments: KernelTable.supported)
  func rowBlocks(table: KernelTable) {
    #expect(table.rowBlock % table.int8Tile.rows == 0)
    #expect(table.rowBlock % table.float32Tile.rows == 0)
  }
}
