import KernelDispatch
import KernelInterface
import Tensors
import TestSupport
import Testing

@Suite("General kernels")
struct GeneralKernelTests {
  @Test("a strided copy gives the elements that its strides name", arguments: 0..<200)
  func copiesByStrides(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let size = [1, 2, 4, 8].randomElement(using: &random)!
    let rank = Int.random(in: 1...5, using: &random)
    var (extents, strides) = (SIMD8<Int>(repeating: 1), SIMD8<Int>())
    var reach = 0
    for axis in (8 - rank)..<8 {
      extents[axis] = Int.random(in: 1...4, using: &random)
      strides[axis] = Int.random(in: 0...7, using: &random) * size
      reach += (extents[axis] - 1) * strides[axis]
    }
    if Bool.random(using: &random) { strides[7] = size }
    let input = (0..<(reach + 8 * size)).map { _ in UInt8.random(in: 0...255, using: &random) }
    let rows = (0..<7).reduce(1) { $0 * extents[$1] }
    var expected: [UInt8] = []
    for element in 0..<rows * extents[7] {
      var (rest, offset) = (element, 0)
      for axis in (0..<8).reversed() {
        offset += rest % extents[axis] * strides[axis]
        rest /= extents[axis]
      }
      expected += input[offset..<offset + size]
    }
    for table in KernelTable.supported {
      var output = [UInt8](repeating: 0, count: expected.count)
      let cut = Int.random(in: 0...rows, using: &random)
      unsafe input.withUnsafeBytes { input in
        unsafe output.withUnsafeMutableBytes { output in
          let arguments = unsafe StridedCopyArguments(
            extents: extents, strides: strides, elementBytes: size, input: input.baseAddress!,
            output: output.baseAddress!)
          table.general.copyStrided(arguments, cut..<rows)
          table.general.copyStrided(arguments, 0..<cut)
        }
      }
      #expect(output == expected, "\(table.name)")
    }
  }

  /// Runs an operation on two vectors and gives the bytes of the output.
  private func binary<T: BitwiseCopyable>(
    _ table: KernelTable, _ operation: ElementOperation, _ type: DataType, _ left: [T],
    _ right: [T], schemes: (CodeScheme, CodeScheme, CodeScheme) = (.init(), .init(), .init())
  ) -> [UInt8] {
    let size = operation.isPredicate ? 1 : MemoryLayout<T>.size
    var output = [UInt8](repeating: 0xA5, count: left.count * size)
    let strides = OperandStrides(row: left.count, column: 1)
    unsafe left.withUnsafeBytes { left in
      unsafe right.withUnsafeBytes { right in
        unsafe output.withUnsafeMutableBytes { output in
          unsafe table.general.binary(
            BinaryElementsArguments(
              operation: operation, type: type, leftScheme: schemes.0, rightScheme: schemes.1,
              outputScheme: schemes.2, bounds: OutputBoundsFloat32(), rows: 1,
              columns: left.count / MemoryLayout<T>.size, left: left.baseAddress!,
              leftStrides: strides, right: right.baseAddress!, rightStrides: strides,
              output: output.baseAddress!))
        }
      }
    }
    return output
  }

  private func bytes<T: BitwiseCopyable>(_ values: [T]) -> [UInt8] {
    unsafe values.withUnsafeBytes { bytes in unsafe [UInt8](bytes) }
  }

  @Test("integer division rounds towards minus infinity, and nothing traps", arguments: KernelTable.supported)
  func dividesIntegers(table: KernelTable) {
    let left: [Int32] = [7, -7, 7, -7, 0, .min, .min, 5]
    let right: [Int32] = [2, 2, -2, -2, 3, -1, 1, 0]
    #expect(
      binary(table, .floorDivide, .int32, left, right)
        == bytes([3, -4, -4, 3, 0, Int32.min, .min, 0] as [Int32]))
    #expect(
      binary(table, .floorModulo, .int32, left, right)
        == bytes([1, 1, -1, -1, 0, 0, 0, 0] as [Int32]))
  }

  @Test("angles, bits and shifts of any width", arguments: KernelTable.supported)
  func combinesBits(table: KernelTable) {
    let left: [Int32] = [0b1100, -1, .min, 64, 64, -64]
    let right: [Int32] = [0b1010, 1, .max, 2, 40, -3]
    #expect(
      binary(table, .bitwiseXor, .int32, left, right)
        == bytes([0b0110, -2, -1, 66, 104, 61] as [Int32]))
    #expect(
      binary(table, .rightShift, .int32, left, right)
        == bytes([0, -1, -1, 16, 0, -64] as [Int32]))
    let (ordinates, abscissas): ([Float], [Float]) = ([0, 1, -1, 0], [1, 0, 0, -1])
    #expect(
      binary(table, .arcTangent, .float32, ordinates, abscissas)
        == bytes([0, Float(Double.pi / 2), Float(-Double.pi / 2), Float(Double.pi)]))
  }

  @Test("casts of numbers without sign keep their bits and saturate fractions", arguments: KernelTable.supported)
  func castsUnsigned(table: KernelTable) {
    func cast<T: BitwiseCopyable>(
      _ values: [T], _ from: DataType, _ to: DataType, bytes size: Int
    ) -> [UInt8] {
      var output = [UInt8](repeating: 0xA5, count: values.count * size)
      unsafe values.withUnsafeBytes { input in
        unsafe output.withUnsafeMutableBytes { output in
          unsafe table.general.cast(
            CastArguments(
              inputType: from, outputType: to, count: values.count, input: input.baseAddress!,
              output: output.baseAddress!))
        }
      }
      return output
    }
    #expect(
      cast([UInt32.max, 1 << 31, 7], .uint32, .float32, bytes: 4)
        == bytes([4_294_967_296, 2_147_483_648, 7] as [Float]))
    #expect(
      cast([UInt32.max, 7], .uint32, .int32, bytes: 4) == bytes([-1, 7] as [Int32]))
    #expect(
      cast([Int32(-1), 7], .int32, .uint32, bytes: 4) == bytes([UInt32.max, 7] as [UInt32]))
    #expect(
      cast([Float(3.9e9), 5e9, .nan], .float32, .uint32, bytes: 4)
        == bytes([3_900_000_000, UInt32.max, 0] as [UInt32]))
    #expect(
      cast([Int32(-1), 7], .int32, .uint16, bytes: 2) == bytes([65535, 7] as [UInt16]))
  }

  @Test("predicates of 64-bit integers see every bit", arguments: KernelTable.supported)
  func comparesWideIntegers(table: KernelTable) {
    let left: [Int64] = [1 << 53, (1 << 53) + 1, .min, .max]
    let right: [Int64] = [(1 << 53) + 1, (1 << 53) + 1, .max, .min]
    #expect(binary(table, .less, .int64, left, right) == [1, 0, 1, 0])
    #expect(binary(table, .equal, .int64, left, right) == [0, 1, 0, 0])
  }

  @Test("codes are the numbers that they stand for", arguments: KernelTable.supported)
  func combinesCodes(table: KernelTable) {
    var random = SplitMix64(seed: 7)
    let (left, right) = (random.codes(1000), random.codes(1000))
    let schemes = (
      CodeScheme(scale: 0.5, zeroPoint: 3), CodeScheme(scale: 0.25, zeroPoint: -9),
      CodeScheme(scale: 8, zeroPoint: -20)
    )
    let expected = zip(left, right).map { a, b in
      let difference = 0.5 * Double(Int(a) - 3) - 0.25 * Double(Int(b) + 9)
      let code = (difference * difference / 8).rounded(.toNearestOrAwayFromZero) - 20
      return Int8(min(max(code, -128), 127))
    }
    #expect(
      binary(table, .squaredDifference, .int8, left, right, schemes: schemes) == bytes(expected))
  }

  @Test("codes of PReLU are the reference's, an odd number of them too", arguments: KernelTable.supported)
  func bendsCodes(table: KernelTable) {
    var random = SplitMix64(seed: 8)
    let (left, right) = (random.codes(1003), random.codes(1003))
    let schemes = (
      CodeScheme(scale: 0.5, zeroPoint: 3), CodeScheme(scale: 0.02, zeroPoint: -9),
      CodeScheme(scale: 0.4, zeroPoint: -20)
    )
    let positive = FixedPointScale(Double(0.5 / 0.4 as Float))
    let negative = FixedPointScale(Double(0.5 * 0.02 / 0.4 as Float))
    let expected = zip(left, right).map { a, b in
      let (first, second) = (Int32(a) - 3, Int32(b) + 9)
      let code = first >= 0 ? positive.apply(first) : negative.apply(first * second)
      return Int8(min(max(code - 20, -128), 127))
    }
    #expect(binary(table, .prelu, .int8, left, right, schemes: schemes) == bytes(expected))
  }

  @Test("every table folds integers alike", arguments: ReductionOperation.allCases)
  func folds(operation: ReductionOperation) {
    guard operation != .any, operation != .all else { return }
    var random = SplitMix64(seed: 11)
    let shape = ReductionShape(outer: 3, reduced: 5, inner: 4)
    let input = (0..<60).map { _ in Int32.random(in: -9...9, using: &random) }
    let expected = (0..<12).map { index -> Int32 in
      let line = (0..<5).map { input[(index / 4 * 5 + $0) * 4 + index % 4] }
      switch operation {
      case .mean: return line.reduce(0, +) / 5
      case .sum: return line.reduce(0, +)
      case .product: return line.reduce(1, *)
      case .minimum: return line.min()!
      default: return line.max()!
      }
    }
    for table in KernelTable.supported {
      var output = [Int32](repeating: 0, count: 12)
      unsafe input.withUnsafeBytes { input in
        unsafe output.withUnsafeMutableBytes { output in
          unsafe table.general.reduce(
            ReductionArguments(
              operation: operation, type: .int32, shape: shape, inputScheme: CodeScheme(),
              outputScheme: CodeScheme(), input: input.baseAddress!, output: output.baseAddress!),
            0..<3)
        }
      }
      #expect(output == expected, "\(table.name)")
    }
  }

  @Test("indices outside the axis are brought to its ends", arguments: KernelTable.supported)
  func gathersWithinBounds(table: KernelTable) {
    let (input, indices): ([UInt8], [Int32]) = ([10, 11, 12], [2, -5, 99, 1])
    var output = [UInt8](repeating: 0, count: 4)
    unsafe input.withUnsafeBytes { input in
      unsafe indices.withUnsafeBytes { indices in
        unsafe output.withUnsafeMutableBytes { output in
          unsafe table.general.gather(
            GatherArguments(
              outer: 1, axis: 3, innerBytes: 1, count: 4, hasWideIndices: false,
              input: input.baseAddress!, indices: indices.baseAddress!,
              output: output.baseAddress!), 0..<4)
        }
      }
    }
    #expect(output == [12, 10, 12, 11])
  }
}
