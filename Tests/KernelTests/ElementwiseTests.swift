import KernelDispatch
import KernelInterface
import TestSupport
import Testing

/// How the operands of a binary operation are laid out over `[rows, columns]`.
struct BroadcastCase: Sendable, CustomTestStringConvertible {
  let name: String
  let rows: Int
  let columns: Int
  let left: OperandStrides
  let right: OperandStrides
  var testDescription: String { "\(name), \(rows) × \(columns)" }

  static let all: [BroadcastCase] = [1, 7, 8, 15, 16, 17, 33].flatMap { columns in
    [
      BroadcastCase(
        name: "same shape", rows: 1, columns: columns, left: .init(row: columns, column: 1),
        right: .init(row: columns, column: 1)),
      BroadcastCase(
        name: "scalar right", rows: 1, columns: columns, left: .init(row: columns, column: 1),
        right: .init(row: 0, column: 0)),
      BroadcastCase(
        name: "scalar left", rows: 2, columns: columns, left: .init(row: 0, column: 0),
        right: .init(row: columns, column: 1)),
      BroadcastCase(
        name: "last axis", rows: 3, columns: columns, left: .init(row: columns, column: 1),
        right: .init(row: 0, column: 1)),
      BroadcastCase(
        name: "one a row", rows: 3, columns: columns, left: .init(row: 1, column: 0),
        right: .init(row: columns, column: 1)),
    ]
  }

  func index(_ strides: OperandStrides, _ element: Int) -> Int {
    element / columns * strides.row + element % columns * strides.column
  }
}

@Suite("Binary operations")
struct BinaryTests {
  private func run(
    _ table: KernelTable, _ edge: BroadcastCase, _ parameters: BinaryInt8Parameters,
    _ left: [Int8], _ right: [Int8]
  ) -> [Int8] {
    var output = [Int8](repeating: 0, count: edge.rows * edge.columns)
    unsafe left.withUnsafeBufferPointer { left in
      unsafe right.withUnsafeBufferPointer { right in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe table.binaryInt8(
            BinaryInt8Arguments(
              parameters: parameters, rows: edge.rows, columns: edge.columns,
              left: left.baseAddress!, leftStrides: edge.left, right: right.baseAddress!,
              rightStrides: edge.right, output: output.baseAddress!))
        }
      }
    }
    return output
  }

  /// Both operands times 2²⁰, brought to twice the larger scale, their sum brought to the output; every scale of 31
  /// bits and rounded twice.
  private func sum(_ a: Int64, _ b: Int64, _ bounds: OutputBoundsInt8) -> Int8 {
    let widest = 2 * Double(0.031 as Float)
    let left = FixedPointScale(Double(0.031 as Float) / widest).apply(Int32(a) << 20)
    let right = FixedPointScale(Double(0.012 as Float) / widest).apply(Int32(b) << 20)
    let output = FixedPointScale(widest / (0x1p20 * Double(0.026 as Float)))
    return Int8(min(max(output.apply(left + right) + bounds.zeroPoint, bounds.minimum), bounds.maximum))
  }

  @Test("int8 matches its formula", arguments: KernelTable.supported, BroadcastCase.all)
  func int8(table: KernelTable, edge: BroadcastCase) {
    var random = SplitMix64(seed: 0xB5)
    let (left, right) = (random.codes(100), random.codes(100))
    for operation in BinaryOperation.allCases {
      let bounds = OutputBoundsInt8(zeroPoint: -11, minimum: -90, maximum: 110)
      let parameters = BinaryInt8Parameters(
        operation, left: (0.031, 4), right: (0.012, -9), outputScale: 0.026, bounds: bounds)
      let expected = (0..<edge.rows * edge.columns).map { element -> Int8 in
        let a = Int64(left[edge.index(edge.left, element)]) - 4
        let b = Int64(right[edge.index(edge.right, element)]) + 9
        if operation == .multiply {
          let ratio = Double(0.031 * 0.012 / 0.026 as Float)
          return requantized(Int32(a * b), ratio, roundsTwice: true, bounds)
        }
        return sum(a, operation == .add ? b : -b, bounds)
      }
      #expect(run(table, edge, parameters, left, right) == expected, "\(operation)")
    }
  }

  @Test(
    "int8 sums of every pair of codes are within half a code and a bit of the real sum",
    arguments: KernelTable.supported,
    [(0.05, 0.05, 0.1), (0.001, 0.9, 0.5), (3, 0.02, 0.004), (1e-9, 1, 1e-5)] as [(Float, Float, Float)])
  func everyPair(table: KernelTable, scales: (Float, Float, Float)) {
    let codes = (0..<256).map { Int8($0 - 128) }
    let bounds = OutputBoundsInt8(zeroPoint: 1)
    let edge = BroadcastCase(
      name: "", rows: 256, columns: 256, left: .init(row: 1, column: 0),
      right: .init(row: 0, column: 1))
    for operation in [BinaryOperation.add, .subtract] {
      let parameters = BinaryInt8Parameters(
        operation, left: (scales.0, 2), right: (scales.1, -3), outputScale: scales.2,
        bounds: bounds)
      let output = run(table, edge, parameters, codes, codes)
      let sign: Double = operation == .add ? 1 : -1
      let tolerance = Double(max(scales.0, scales.1) / scales.2) * 0x1p-12
      for element in 0..<65_536 {
        let a = Double(scales.0) * Double(element / 256 - 130)
        let b = sign * Double(scales.1) * Double(element % 256 - 125)
        let real = min(max((a + b) / Double(scales.2), -129), 126)
        if abs(real - Double(Int(output[element]) - 1)) > 0.5 + tolerance {
          Issue.record("\(operation) of element \(element): \(real) became \(output[element])")
          return
        }
      }
    }
  }

  @Test("float32 is exact, then clamped", arguments: KernelTable.supported, BroadcastCase.all)
  func float32(table: KernelTable, edge: BroadcastCase) {
    var random = SplitMix64(seed: 0xB6)
    let (left, right) = (random.floats(100), random.floats(100))
    for operation in BinaryOperation.allCases {
      var output = [Float](repeating: 0, count: edge.rows * edge.columns)
      unsafe left.withUnsafeBufferPointer { left in
        unsafe right.withUnsafeBufferPointer { right in
          unsafe output.withUnsafeMutableBufferPointer { output in
            unsafe table.binaryFloat32(
              BinaryFloat32Arguments(
                operation: operation, bounds: .init(minimum: -1.5, maximum: 2), rows: edge.rows,
                columns: edge.columns, left: left.baseAddress!, leftStrides: edge.left,
                right: right.baseAddress!, rightStrides: edge.right, output: output.baseAddress!))
          }
        }
      }
      let expected = output.indices.map { element -> Float in
        let a = left[edge.index(edge.left, element)]
        let b = right[edge.index(edge.right, element)]
        let value = operation == .add ? a + b : operation == .subtract ? a - b : a * b
        return min(max(value, -1.5), 2)
      }
      #expect(output == expected, "\(operation)")
    }
  }

  @Test("the output may be the left operand", arguments: KernelTable.supported)
  func inPlace(table: KernelTable) {
    var values = (0..<37).map { Float($0) }
    let other = [Float](repeating: 0.5, count: 37)
    unsafe values.withUnsafeMutableBufferPointer { values in
      unsafe other.withUnsafeBufferPointer { other in
        unsafe table.binaryFloat32(
          BinaryFloat32Arguments(
            operation: .add, rows: 1, columns: 37, left: UnsafePointer(values.baseAddress!),
            leftStrides: .init(row: 37, column: 1), right: other.baseAddress!,
            rightStrides: .init(row: 37, column: 1), output: values.baseAddress!))
      }
    }
    #expect(values == (0..<37).map { Float($0) + 0.5 })
  }
}

@Suite("Unary operations")
struct UnaryTests {
  static func apply(_ table: KernelTable, _ operation: UnaryOperation, _ input: [Float],
    _ bounds: OutputBoundsFloat32 = OutputBoundsFloat32()) -> [Float]
  {
    var output = [Float](repeating: -77, count: input.count)
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        guard let first = input.baseAddress else { return }
        unsafe table.unaryFloat32(
          UnaryArguments(
            operation: operation, bounds: bounds, count: input.count, input: first,
            output: output.baseAddress!))
      }
    }
    return output
  }

  /// Distance in units of the last place of `expected`.
  private func distance(_ actual: Float, _ expected: Double) -> Double {
    let unit = max(Double(Float(expected).ulp), Double(Float.leastNormalMagnitude))
    return abs(Double(actual) - expected) / unit
  }

  private func worst(
    _ table: KernelTable, _ operation: UnaryOperation, _ range: ClosedRange<Float>,
    _ function: (Double) -> Double
  ) -> Double {
    var random = SplitMix64(seed: 0xE9)
    let input = random.floats(20_000, range) + [range.lowerBound, range.upperBound, 0, -0.0]
    return zip(Self.apply(table, operation, input), input).map {
      distance($0, function(Double($1)))
    }.max()!
  }

  @Test("the exponential is within 2 units", arguments: KernelTable.supported)
  func exponentialAccuracy(table: KernelTable) {
    #expect(worst(table, .exponential, -87...88.7, exponential) <= 2)
  }

  @Test("the logistic function is within 4 units", arguments: KernelTable.supported)
  func logisticAccuracy(table: KernelTable) {
    #expect(worst(table, .logistic, -80...80, logistic) <= 4)
    #expect(worst(table, .logistic, -1...1, logistic) <= 4)
  }

  @Test("the hyperbolic tangent is within 4 units", arguments: KernelTable.supported)
  func tangentAccuracy(table: KernelTable) {
    #expect(worst(table, .tanh, -12...12, hyperbolicTangent) <= 4)
    #expect(worst(table, .tanh, 0.01...1, hyperbolicTangent) <= 4)
  }

  @Test("extremes stay in range and NaN stays NaN", arguments: KernelTable.supported)
  func extremes(table: KernelTable) {
    let input: [Float] = [-.infinity, -1e30, -100, 100, 1e30, .infinity]
    #expect(Self.apply(table, .logistic, input) == [0, 0, 0, 1, 1, 1])
    #expect(Self.apply(table, .tanh, input) == [-1, -1, -1, 1, 1, 1])
    #expect(
      Self.apply(table, .exponential, input) == [0, 0, 0, .infinity, .infinity, .infinity])
    for operation in UnaryOperation.allCases {
      #expect(Self.apply(table, operation, [.nan])[0].isNaN, "\(operation)")
    }
  }

  @Test("clamp is the relu family", arguments: KernelTable.supported, [0, 1, 7, 8, 9, 17])
  func clamp(table: KernelTable, count: Int) {
    var random = SplitMix64(seed: 0xE8)
    let input = random.floats(count, -9...9)
    let output = Self.apply(table, .clamp, input, .init(minimum: 0, maximum: 6))
    #expect(output == input.map { min(max($0, 0), 6) })
  }

  @Test("int8 functions by table", arguments: KernelTable.supported)
  func lookup(table: KernelTable) {
    let function = LookupTableInt8(
      inputScale: 0.05, inputZeroPoint: -4, outputScale: 1 / 256,
      bounds: .init(zeroPoint: -128), logistic)
    let input = (0..<256).map { Int8($0 - 128) }
    var output = [Int8](repeating: 0, count: 256)
    unsafe function.entries.withUnsafeBufferPointer { entries in
      unsafe input.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe table.lookupInt8(
            LookupInt8Arguments(
              table: entries.baseAddress!, count: 256, input: input.baseAddress!,
              output: output.baseAddress!))
        }
      }
    }
    #expect(output[124] == 0)
    #expect(output[0] == -127)
    #expect(output[255] == 127)
    #expect(output == function.entries)
  }

  @Test("tables are read for whole registers, for what is left, and in place", arguments: KernelTable.supported)
  func lookupOfParts(table: KernelTable) {
    var random = SplitMix64(seed: 0x17)
    let entries = random.codes(256)
    for count in [0, 1, 15, 16, 63, 64, 65, 127, 200] {
      let input = random.codes(count)
      var codes = input + [99]
      unsafe entries.withUnsafeBufferPointer { entries in
        unsafe codes.withUnsafeMutableBufferPointer { codes in
          unsafe table.lookupInt8(
            LookupInt8Arguments(
              table: entries.baseAddress!, count: count, input: UnsafePointer(codes.baseAddress!),
              output: codes.baseAddress!))
        }
      }
      #expect(codes == input.map { entries[Int($0) + 128] } + [99])
    }
  }
}

@Suite("Softmax")
struct SoftmaxTests {
  @Test("int8 is within 1 of the real softmax", arguments: KernelTable.supported, [1, 2, 10, 17, 300])
  func int8(table: KernelTable, columns: Int) {
    var random = SplitMix64(seed: 0x50)
    let input = random.codes(3 * columns)
    let exponentials = SoftmaxTableInt8(inputScale: 0.07, beta: 1)
    var output = [Int8](repeating: 0, count: input.count)
    unsafe exponentials.entries.withUnsafeBufferPointer { entries in
      unsafe input.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe table.softmaxInt8(
            SoftmaxInt8Arguments(
              table: entries.baseAddress!, columns: columns, input: input.baseAddress!,
              output: output.baseAddress!), 0..<3)
        }
      }
    }
    for row in 0..<3 {
      let range = row * columns..<(row + 1) * columns
      let terms = range.map { exponential(Double(Float(0.07)) * Double(input[$0])) }
      let sum = terms.reduce(0, +)
      for (i, term) in zip(range, terms) {
        #expect(abs(min(term / sum * 256 - 128, 127) - Double(output[i])) <= 0.51)
      }
    }
  }

  @Test("float32 is accurate and sums to 1", arguments: KernelTable.supported, [1, 7, 8, 9, 100])
  func float32(table: KernelTable, columns: Int) {
    var random = SplitMix64(seed: 0x51)
    let input = random.floats(2 * columns, -30...60)
    var output = [Float](repeating: 0, count: input.count)
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe table.softmaxFloat32(
          SoftmaxFloat32Arguments(
            beta: 0.5, columns: columns, input: input.baseAddress!, output: output.baseAddress!),
          0..<2)
      }
    }
    for row in 0..<2 {
      let range = row * columns..<(row + 1) * columns
      let terms = range.map { exponential(0.5 * Double(input[$0])) }
      let sum = terms.reduce(0, +)
      let highest = input[range].max()!
      for (i, term) in zip(range, terms) {
        // The rounding of the difference, halved, is an error of the exponent; six roundings follow.
        let exponentError = 0.5 * Double(highest - input[i]) * 0x1p-24
        let bound = (exponentError + 6 * 0x1p-24) * term / sum + 1e-37
        #expect(abs(term / sum - Double(output[i])) <= bound)
      }
    }
  }
}
