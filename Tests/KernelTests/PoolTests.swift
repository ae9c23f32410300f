import KernelDispatch
import KernelInterface
import TestSupport
import Testing

@Suite("Pooling and mean")
struct PoolTests {
  static let geometries: [GeometryCase] = [1, 3, 7, 8, 16, 17, 33].flatMap { channels in
    [
      GeometryCase(
        name: "3×3 of \(channels) channels, stride 2, padded",
        geometry: window(
          batch: 2, height: 7, width: 5, channels: channels, outputChannels: channels,
          kernel: (3, 3), stride: (2, 2), padding: (1, 1, 1, 1))),
      GeometryCase(
        name: "whole image of \(channels) channels",
        geometry: window(
          height: 6, width: 4, channels: channels, outputChannels: channels, kernel: (6, 4))),
    ]
  }

  private func runInt8(
    _ kernel: (PoolingInt8Arguments, Range<Int>) -> Void, _ geometry: WindowGeometry,
    _ input: [Int8], roundsUp: Bool = false
  ) -> [Int8] {
    var output = [Int8](repeating: 0, count: geometry.outputCount)
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        let arguments = unsafe PoolingInt8Arguments(
          geometry: geometry, input: input.baseAddress!, output: output.baseAddress!,
          minimum: -120, maximum: 100, roundsUp: roundsUp)
        kernel(arguments, 0..<1)
        kernel(arguments, 1..<geometry.outputRows)
      }
    }
    return output
  }

  private func runFloat32(
    _ kernel: (PoolingFloat32Arguments, Range<Int>) -> Void, _ geometry: WindowGeometry,
    _ input: [Float]
  ) -> [Float] {
    var output = [Float](repeating: 0, count: geometry.outputCount)
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe kernel(
          PoolingFloat32Arguments(
            geometry: geometry, input: input.baseAddress!, output: output.baseAddress!,
            bounds: OutputBoundsFloat32(minimum: -1, maximum: 1.5)), 0..<geometry.outputRows)
      }
    }
    return output
  }

  /// The inputs under each output element's window.
  private func windows<T>(_ geometry: WindowGeometry, _ input: [T]) -> [[T]] {
    (0..<geometry.outputRows).flatMap { row in
      let pixels = geometry.tapPixels(row).compactMap { $0 }
      return (0..<geometry.inputChannels).map { channel in
        pixels.map { input[$0 * geometry.inputChannels + channel] }
      }
    }
  }

  @Test("int8 maximum", arguments: KernelTable.supported, geometries)
  func maximumInt8(table: KernelTable, edge: GeometryCase) {
    var random = SplitMix64(seed: 0xA1)
    let input = random.codes(edge.geometry.inputCount)
    let expected = windows(edge.geometry, input).map { min(max($0.max()!, -120), 100) }
    #expect(runInt8(table.maximumPoolInt8, edge.geometry, input) == expected)
  }

  @Test("int8 average rounds half away from zero", arguments: KernelTable.supported, geometries)
  func averageInt8(table: KernelTable, edge: GeometryCase) {
    var random = SplitMix64(seed: 0xA2)
    let input = random.codes(edge.geometry.inputCount)
    let expected = windows(edge.geometry, input).map { codes -> Int8 in
      let sum = codes.reduce(0) { $0 + Int($1) }
      let half = codes.count / 2
      return Int8(min(max((sum > 0 ? sum + half : sum - half) / codes.count, -120), 100))
    }
    #expect(runInt8(table.averagePoolInt8, edge.geometry, input) == expected)
  }

  @Test("int8 average rounds half up", arguments: KernelTable.supported, geometries)
  func averageRoundingUp(table: KernelTable, edge: GeometryCase) {
    var random = SplitMix64(seed: 0xA9)
    let input = random.codes(edge.geometry.inputCount)
    let expected = windows(edge.geometry, input).map { codes -> Int8 in
      // As codes without sign, which are 128 more.
      let sum = codes.reduce(0) { $0 + Int($1) + 128 }
      return Int8(min(max((sum + codes.count / 2) / codes.count - 128, -120), 100))
    }
    #expect(
      runInt8(table.averagePoolInt8, edge.geometry, input, roundsUp: true) == expected)
  }

  @Test("int8 average of every sum over 49 taps is exact", arguments: KernelTable.supported)
  func averageEverySum(table: KernelTable) {
    let geometry = window(height: 7, width: 7, channels: 1, outputChannels: 1, kernel: (7, 7))
    for sum in stride(from: -100 * 49, through: 100 * 49, by: 1) {
      var input = [Int8](repeating: Int8(sum / 49), count: 49)
      for i in 0..<abs(sum % 49) { input[i] += sum < 0 ? -1 : 1 }
      let expected = (sum > 0 ? sum + 24 : sum - 24) / 49
      if runSingle(table, geometry, input) != Int8(expected) {
        Issue.record("sum \(sum)")
        return
      }
    }
  }

  private func runSingle(_ table: KernelTable, _ geometry: WindowGeometry, _ input: [Int8]) -> Int8 {
    var output: Int8 = 0
    unsafe input.withUnsafeBufferPointer { input in
      unsafe withUnsafeMutablePointer(to: &output) { output in
        unsafe table.averagePoolInt8(
          PoolingInt8Arguments(geometry: geometry, input: input.baseAddress!, output: output), 0..<1)
      }
    }
    return output
  }

  @Test("int8 average over more than 2^16 taps", arguments: KernelTable.supported)
  func averageHuge(table: KernelTable) {
    let geometry = window(height: 300, width: 300, channels: 1, outputChannels: 1, kernel: (300, 300))
    #expect(runSingle(table, geometry, [Int8](repeating: -128, count: 90_000)) == -128)
  }

  @Test("float32 maximum", arguments: KernelTable.supported, geometries)
  func maximumFloat32(table: KernelTable, edge: GeometryCase) {
    var random = SplitMix64(seed: 0xA3)
    let input = random.floats(edge.geometry.inputCount)
    let expected = windows(edge.geometry, input).map { min(max($0.max()!, -1), 1.5) }
    #expect(runFloat32(table.maximumPoolFloat32, edge.geometry, input) == expected)
  }

  @Test("float32 average, summed in order", arguments: KernelTable.supported, geometries)
  func averageFloat32(table: KernelTable, edge: GeometryCase) {
    var random = SplitMix64(seed: 0xA4)
    let input = random.floats(edge.geometry.inputCount)
    let expected = windows(edge.geometry, input).map {
      min(max($0.reduce(0, +) / Float($0.count), -1), 1.5)
    }
    #expect(runFloat32(table.averagePoolFloat32, edge.geometry, input) == expected)
  }

  @Test(
    "int8 mean", arguments: KernelTable.supported,
    [(1, 1, 1), (2, 9, 3), (1, 49, 16), (3, 7, 17), (2, 30, 1), (3, 128, 1), (0, 4, 4)])
  func meanInt8(table: KernelTable, shape: (Int, Int, Int)) {
    var random = SplitMix64(seed: 0xA5)
    let shape = ReductionShape(outer: shape.0, reduced: shape.1, inner: shape.2)
    let input = random.codes(max(1, shape.outer * shape.reduced * shape.inner))
    let bounds = OutputBoundsInt8(zeroPoint: 5)
    let scale = FixedPointScale(1.7, dividedBy: shape.reduced)
    var output = [Int8](repeating: 0, count: max(1, shape.outer * shape.inner))
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe table.meanInt8(
          MeanInt8Arguments(
            shape: shape, input: input.baseAddress!, inputZeroPoint: -3, scale: scale,
            bounds: bounds, output: output.baseAddress!), 0..<shape.outer)
      }
    }
    let expected = (0..<shape.outer).flatMap { outer in
      (0..<shape.inner).map { inner -> Int8 in
        var sum: Int32 = 0
        for k in 0..<shape.reduced {
          sum += Int32(input[(outer * shape.reduced + k) * shape.inner + inner]) + 3
        }
        return Int8(min(max(scale.apply(sum) + 5, -128), 127))
      }
    }
    #expect(Array(output.prefix(expected.count)) == expected)
  }

  @Test("float32 mean, summed in order", arguments: KernelTable.supported)
  func meanFloat32(table: KernelTable) {
    var random = SplitMix64(seed: 0xA6)
    let shape = ReductionShape(outer: 2, reduced: 5, inner: 11)
    let input = random.floats(110)
    var output = [Float](repeating: 0, count: 22)
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe table.meanFloat32(
          MeanFloat32Arguments(
            shape: shape, input: input.baseAddress!, output: output.baseAddress!), 0..<2)
      }
    }
    let expected = (0..<22).map { (i: Int) -> Float in
      var sum: Float = 0
      for k in 0..<5 { sum += input[(i / 11 * 5 + k) * 11 + i % 11] }
      return sum / 5
    }
    #expect(output == expected)
  }
}
