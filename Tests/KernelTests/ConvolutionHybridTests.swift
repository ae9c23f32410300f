import KernelDispatch
import KernelInterface
import TestSupport
import Testing

/// One dynamic-range layer: float activations, int8 weights.
struct HybridProblem {
  let geometry: WindowGeometry
  let isDepthwise: Bool
  let isSymmetric: Bool
  let input: [Float]
  let weights: [Int8]
  let scales: [Float]
  let bias: [Float]

  init(_ geometry: WindowGeometry, isDepthwise: Bool, isSymmetric: Bool, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    self.geometry = geometry
    self.isDepthwise = isDepthwise
    self.isSymmetric = isSymmetric
    input = random.floats(geometry.inputCount, -1...5)
    let depth = isDepthwise ? geometry.taps : geometry.depth
    weights = random.codes(depth * geometry.outputChannels)
    scales = random.floats(geometry.outputChannels, 0.001...0.02)
    bias = random.floats(geometry.outputChannels)
  }

  /// Quantised codes, scale and zero point of each image.
  func quantized(_ table: KernelTable) -> (codes: [Int8], scales: [Float], zeroPoints: [Int32]) {
    var codes = [Int8](repeating: 0, count: input.count)
    var scales = [Float](repeating: 0, count: geometry.batch)
    var zeroPoints = [Int32](repeating: 99, count: geometry.batch)
    unsafe input.withUnsafeBufferPointer { input in
      unsafe codes.withUnsafeMutableBufferPointer { codes in
        unsafe scales.withUnsafeMutableBufferPointer { scales in
          unsafe zeroPoints.withUnsafeMutableBufferPointer { zeroPoints in
            unsafe table.quantizeRows(
              QuantizeRowsArguments(
                isSymmetric: isSymmetric, columns: input.count / geometry.batch,
                input: input.baseAddress!, output: codes.baseAddress!, scales: scales.baseAddress!,
                zeroPoints: zeroPoints.baseAddress!), 0..<geometry.batch)
          }
        }
      }
    }
    return (codes, scales, zeroPoints)
  }

  func actual(_ table: KernelTable) -> [Float] {
    let packed = Memory(
      isDepthwise
        ? table.depthwiseInt8Weights(geometry).byteCount
        : table.convolutionInt8Weights(geometry).byteCount)
    let scratch = Memory(
      isDepthwise
        ? table.depthwiseInt8ScratchBytes(geometry) : table.convolutionInt8ScratchBytes(geometry))
    unsafe weights.withUnsafeBufferPointer { weights in
      unsafe scales.withUnsafeBufferPointer { scales in
        unsafe bias.withUnsafeBufferPointer { bias in
          let arguments = unsafe PackInt8Arguments(
            weights: weights.baseAddress!, outputChannels: geometry.outputChannels,
            depth: isDepthwise ? geometry.taps : geometry.depth,
            lines: isDepthwise ? geometry.depthwiseLines : geometry.windowLines, weightScales: scales,
            floatBias: bias.baseAddress!, destination: packed.raw)
          if isDepthwise {
            table.packDepthwiseInt8(arguments)
          } else {
            table.packConvolutionInt8(arguments)
          }
        }
      }
    }
    let rows = quantized(table)
    var output = [Float](repeating: .nan, count: geometry.outputCount)
    unsafe rows.codes.withUnsafeBufferPointer { codes in
      unsafe rows.scales.withUnsafeBufferPointer { rowScales in
        unsafe rows.zeroPoints.withUnsafeBufferPointer { zeroPoints in
          unsafe output.withUnsafeMutableBufferPointer { output in
            let arguments = unsafe ConvolutionHybridArguments(
              geometry: geometry, input: codes.baseAddress!, rowScales: rowScales.baseAddress!,
              rowZeroPoints: zeroPoints.baseAddress!, weights: packed.raw,
              output: output.baseAddress!, bounds: OutputBoundsFloat32(minimum: -20, maximum: 30),
              scratch: scratch.raw)
            let all = WorkRange(
              rows: 0..<geometry.outputRows, panels: 0..<((geometry.outputChannels + 15) / 16))
            if isDepthwise {
              table.depthwiseHybrid(arguments, all)
            } else {
              table.convolutionHybrid(arguments, all)
            }
          }
        }
      }
    }
    return output
  }

  func expected(_ table: KernelTable) -> [Double] {
    let rows = quantized(table)
    return (0..<geometry.outputRows).flatMap { row in
      let pixels = geometry.tapPixels(row)
      let image = row / geometry.outputPixels
      return (0..<geometry.outputChannels).map { channel in
        var sum = 0
        for (tap, pixel) in pixels.enumerated() {
          guard let pixel else { continue }
          let first = pixel * geometry.inputChannels
          let zero = Int(rows.zeroPoints[image])
          if isDepthwise {
            let source = channel / (geometry.outputChannels / geometry.inputChannels)
            sum += (Int(rows.codes[first + source]) - zero)
              * Int(weights[tap * geometry.outputChannels + channel])
          } else {
            for k in 0..<geometry.inputChannels {
              sum += (Int(rows.codes[first + k]) - zero)
                * Int(weights[channel * geometry.depth + tap * geometry.inputChannels + k])
            }
          }
        }
        let real =
          Double(sum) * Double(rows.scales[image]) * Double(scales[channel])
          + Double(bias[channel])
        return min(max(real, -20), 30)
      }
    }
  }
}

@Suite("Dynamic-range layers")
struct ConvolutionHybridTests {
  static let geometries: [GeometryCase] = [
    .init(name: "3 rows, depth 33", geometry: .init(rows: 3, inputDepth: 33, outputDepth: 18)),
    .init(
      name: "3×3 padded, batch 3",
      geometry: window(
        batch: 3, height: 5, width: 3, channels: 7, outputChannels: 17, kernel: (3, 3),
        padding: (1, 1, 1, 1))),
  ]

  @Test(
    "convolution matches the formula", arguments: KernelTable.supported, geometries)
  func convolution(table: KernelTable, edge: GeometryCase) {
    for isSymmetric in [false, true] {
      let problem = HybridProblem(
        edge.geometry, isDepthwise: false, isSymmetric: isSymmetric, seed: 0xB0)
      #expect(areClose(problem.actual(table), problem.expected(table)))
    }
  }

  @Test(
    "depthwise convolution matches the formula", arguments: KernelTable.supported,
    DepthwiseInt8Tests.geometries)
  func depthwise(table: KernelTable, edge: GeometryCase) {
    let problem = HybridProblem(
      edge.geometry, isDepthwise: true, isSymmetric: false, seed: 0xB1)
    #expect(areClose(problem.actual(table), problem.expected(table)))
  }

  private func areClose(_ actual: [Float], _ expected: [Double]) -> Bool {
    actual.count == expected.count
      && zip(actual, expected).allSatisfy { abs(Double($0) - $1) <= 1e-6 * max(1, abs($1)) }
  }
}

@Suite("Quantising activations by row")
struct QuantizeRowsTests {
  private func quantize(_ table: KernelTable, _ row: [Float], isSymmetric: Bool)
    -> (codes: [Int8], scale: Float, zeroPoint: Int32)
  {
    var codes = [Int8](repeating: 55, count: row.count)
    var (scale, zeroPoint) = (Float(-1), Int32(-1))
    unsafe row.withUnsafeBufferPointer { row in
      unsafe codes.withUnsafeMutableBufferPointer { codes in
        unsafe withUnsafeMutablePointer(to: &scale) { scale in
          unsafe withUnsafeMutablePointer(to: &zeroPoint) { zeroPoint in
            unsafe table.quantizeRows(
              QuantizeRowsArguments(
                isSymmetric: isSymmetric, columns: row.count, input: row.baseAddress!,
                output: codes.baseAddress!, scales: scale, zeroPoints: zeroPoint), 0..<1)
          }
        }
      }
    }
    return (codes, scale, zeroPoint)
  }

  @Test("symmetric: the largest magnitude becomes 127", arguments: KernelTable.supported)
  func symmetric(table: KernelTable) {
    let result = quantize(table, [0, 1, -2, 0.5, 0.25, 2, -1, 0.1, 1.9], isSymmetric: true)
    #expect(result.scale == Float(2) / 127)
    #expect(result.zeroPoint == 0)
    #expect(result.codes == [0, 64, -127, 32, 16, 127, -64, 6, 121])
  }

  @Test("asymmetric: both ends of the range are codes", arguments: KernelTable.supported)
  func asymmetric(table: KernelTable) {
    let result = quantize(table, [0, 5.1, 2.5, 1.02, 5.1, 0, 0, 0, 0.5], isSymmetric: false)
    #expect(result.scale == 0.02)
    #expect(result.zeroPoint == -128)
    #expect(result.codes == [-128, 127, -3, -77, 127, -128, -128, -128, -103])
  }

  @Test(
    "a row without a finite range gets scale 1 and the codes of zero",
    arguments: KernelTable.supported, [[0, 0, 0], [Float.infinity, 1, 2], [.nan, 0, 0]])
  func degenerate(table: KernelTable, row: [Float]) {
    for isSymmetric in [false, true] {
      let result = quantize(table, row, isSymmetric: isSymmetric)
      #expect(result.scale == 1)
      #expect(result.zeroPoint == 0)
      #expect(result.codes.dropFirst() == [0, 0])
    }
  }
}
