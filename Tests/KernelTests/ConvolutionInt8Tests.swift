import KernelDispatch
import KernelInterface
import TestSupport
import Testing

/// One int8 convolution with everything that its formula names.
struct ConvolutionInt8Problem {
  let geometry: WindowGeometry
  let input: [Int8]
  let weights: [Int8]
  let bias: [Int32]
  let ratios: [(value: Double, roundsTwice: Bool)]
  let weightZeroPoint: Int32
  let inputZeroPoint: Int8
  let bounds: OutputBoundsInt8
  let isDepthwise: Bool

  init(
    _ geometry: WindowGeometry, isDepthwise: Bool, isPerChannel: Bool, weightZeroPoint: Int32 = 0,
    isPositive: Bool = false, seed: UInt64
  ) {
    var random = SplitMix64(seed: seed)
    self.geometry = geometry
    self.isDepthwise = isDepthwise
    let channels = geometry.outputChannels
    let depth = isDepthwise ? geometry.taps : geometry.depth
    input = random.codes(geometry.inputCount)
    weights = random.codes(depth * channels)
    bias = (0..<channels).map { _ in Int32.random(in: -20_000...20_000, using: &random) }
    let scale: Float = 1 / (Float(depth).squareRoot() * 90)
    ratios = (0..<(isPerChannel ? channels : 1)).map { _ in
      (Double(scale) * Double.random(in: 0.5...2, using: &random), Bool.random(using: &random))
    }
    self.weightZeroPoint = weightZeroPoint
    inputZeroPoint = Int8.random(in: -128...127, using: &random)
    bounds =
      isPositive
      ? OutputBoundsInt8(zeroPoint: -128)
      : OutputBoundsInt8(zeroPoint: -7, minimum: -100, maximum: 90)
  }

  var expected: [Int8] {
    (0..<geometry.outputRows).flatMap { row in
      let pixels = geometry.tapPixels(row)
      return (0..<geometry.outputChannels).map { channel in
        let ratio = ratios[ratios.count == 1 ? 0 : channel]
        return requantized(
          accumulator(pixels, channel), ratio.value, roundsTwice: ratio.roundsTwice, bounds)
      }
    }
  }

  private func accumulator(_ pixels: [Int?], _ channel: Int) -> Int32 {
    var sum = bias[channel]
    for (tap, pixel) in pixels.enumerated() {
      guard let pixel else { continue }
      let first = pixel * geometry.inputChannels
      if isDepthwise {
        let source = channel / (geometry.outputChannels / geometry.inputChannels)
        sum += (Int32(input[first + source]) - Int32(inputZeroPoint))
          * (Int32(weights[tap * geometry.outputChannels + channel]) - weightZeroPoint)
      } else {
        for k in 0..<geometry.inputChannels {
          sum += (Int32(input[first + k]) - Int32(inputZeroPoint))
            * (Int32(weights[channel * geometry.depth + tap * geometry.inputChannels + k])
              - weightZeroPoint)
        }
      }
    }
    return sum
  }

  /// Runs the kernel, cut into `parts` ranges of rows and one of panels each.
  func actual(_ table: KernelTable, parts: Int = 1) -> [Int8] {
    let layoutBytes =
      isDepthwise
      ? table.depthwiseInt8Weights(geometry).byteCount
      : table.convolutionInt8Weights(geometry).byteCount
    let packed = Memory(layoutBytes)
    let scratch = Memory(
      isDepthwise
        ? table.depthwiseInt8ScratchBytes(geometry) : table.convolutionInt8ScratchBytes(geometry))
    let scales = ratios.map { OutputScale($0.value, roundsTwice: $0.roundsTwice) }
    let tieOffsets = scales.map(\.tieOffset)
    var output = [Int8](repeating: 77, count: geometry.outputCount)
    unsafe weights.withUnsafeBufferPointer { weights in
      unsafe bias.withUnsafeBufferPointer { bias in
        unsafe scales.map(\.scale).withUnsafeBufferPointer { scales in
          unsafe tieOffsets.withUnsafeBufferPointer { ties in
            let arguments = unsafe PackInt8Arguments(
              weights: weights.baseAddress!, outputChannels: geometry.outputChannels,
              depth: isDepthwise ? geometry.taps : geometry.depth,
              lines: isDepthwise ? geometry.depthwiseLines : geometry.windowLines, scales: scales,
              tieOffsets: ties, weightZeroPoint: weightZeroPoint, bias: bias.baseAddress!,
              inputZeroPoint: Int32(inputZeroPoint), destination: packed.raw)
            if isDepthwise {
              table.packDepthwiseInt8(arguments)
            } else {
              table.packConvolutionInt8(arguments)
            }
          }
        }
      }
    }
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        guard let first = input.baseAddress, output.count > 0 else { return }
        let arguments = unsafe ConvolutionInt8Arguments(
          geometry: geometry, input: first, weights: packed.raw, output: output.baseAddress!,
          inputZeroPoint: inputZeroPoint, weightZeroPoint: weightZeroPoint, bounds: bounds,
          scalesAreBelowHalf: ratios.allSatisfy { $0.value < 0.5 }, scratch: scratch.raw)
        let panels = (geometry.outputChannels + 15) / 16
        for range in workRanges(geometry.outputRows, panels, parts) {
          if isDepthwise {
            table.depthwiseInt8(arguments, range)
          } else {
            table.convolutionInt8(arguments, range)
          }
        }
      }
    }
    return output
  }
}

/// The whole work in `parts` ranges of rows, each panel by itself when there are several parts.
func workRanges(_ rows: Int, _ panels: Int, _ parts: Int) -> [WorkRange] {
  guard parts > 1 else { return [WorkRange(rows: 0..<rows, panels: 0..<panels)] }
  return (0..<parts).flatMap { part in
    (0..<panels).map { panel in
      WorkRange(
        rows: (rows * part / parts)..<(rows * (part + 1) / parts), panels: panel..<(panel + 1))
    }
  }
}

@Suite("Convolution int8")
struct ConvolutionInt8Tests {
  @Test(
    "matches the formula on every table", arguments: KernelTable.supported, GeometryCase.convolutions
  )
  func matchesFormula(table: KernelTable, edge: GeometryCase) {
    let problem = ConvolutionInt8Problem(
      edge.geometry, isDepthwise: false, isPerChannel: true, seed: 0xC0)
    #expect(problem.actual(table) == problem.expected)
  }

  @Test(
    "matches the formula for codes that are not negative", arguments: KernelTable.supported,
    GeometryCase.convolutions)
  func positiveCodes(table: KernelTable, edge: GeometryCase) {
    let problem = ConvolutionInt8Problem(
      edge.geometry, isDepthwise: false, isPerChannel: true, isPositive: true, seed: 0xC5)
    #expect(problem.actual(table) == problem.expected)
  }

  @Test("takes one scale for all channels", arguments: KernelTable.supported)
  func perTensor(table: KernelTable) {
    let problem = ConvolutionInt8Problem(
      .init(rows: 9, inputDepth: 21, outputDepth: 35), isDepthwise: false, isPerChannel: false,
      seed: 0xC1)
    #expect(problem.actual(table) == problem.expected)
  }

  @Test(
    "takes weights with a zero point of their own", arguments: KernelTable.supported,
    [-128, -3, 127] as [Int32])
  func weightZeroPoint(table: KernelTable, zeroPoint: Int32) {
    let geometry = window(
      height: 7, width: 5, channels: 7, outputChannels: 19, kernel: (3, 3), padding: (1, 1, 1, 1))
    let problem = ConvolutionInt8Problem(
      geometry, isDepthwise: false, isPerChannel: false, weightZeroPoint: zeroPoint, seed: 0xC3)
    #expect(problem.actual(table, parts: 3) == problem.expected)
  }

  @Test("rounds as the reference, once or twice", arguments: [true, false])
  func roundsAsReference(roundsTwice: Bool) {
    var random = SplitMix64(seed: 0xC4)
    let bounds = OutputBoundsInt8(zeroPoint: 0)
    for step in 0..<100_000 {
      // Ratios of few bits make sums that lie in the middle of two codes.
      let ratio =
        step % 4 == 0
        ? Double(Int.random(in: 1...300, using: &random)) * 0x1p-14
        : Double.random(in: 1e-5...2, using: &random)
      let sum = Int32.random(in: -12_000...12_000, using: &random)
      let code = OutputScale(ratio, roundsTwice: roundsTwice).apply(sum)
      let expected = requantized(sum, ratio, roundsTwice: roundsTwice, bounds)
      #expect(max(-128, min(127, code)) == Int32(expected), "\(sum) times \(ratio)")
      if roundsTwice { #expect(code == FixedPointScale(ratio).apply(sum)) }
    }
  }

  @Test("gives the same bytes however the work is cut", arguments: KernelTable.supported)
  func workRangesCompose(table: KernelTable) {
    let geometry = window(
      height: 8, width: 8, channels: 9, outputChannels: 37, kernel: (3, 3), padding: (1, 1, 1, 1))
    let problem = ConvolutionInt8Problem(
      geometry, isDepthwise: false, isPerChannel: true, seed: 0xC2)
    #expect(problem.actual(table, parts: 5) == problem.actual(table))
  }

  @Test("saturates at both bounds, for the extreme products", arguments: KernelTable.supported)
  func saturates(table: KernelTable) {
    let bounds = OutputBoundsInt8(zeroPoint: 3, minimum: -101, maximum: 99)
    #expect(extremes(table, bounds, scale: 1) == [99, -101, 99, -101])
    let positive = OutputBoundsInt8(zeroPoint: -128)
    #expect(extremes(table, positive, scale: 0.49) == [127, -128, 127, -128])
  }

  private func extremes(
    _ table: KernelTable, _ bounds: OutputBoundsInt8, scale: Float
  ) -> [Int8] {
    let geometry = WindowGeometry(rows: 2, inputDepth: 512, outputDepth: 2)
    let packed = Memory(table.convolutionInt8Weights(geometry).byteCount)
    let scratch = Memory(table.convolutionInt8ScratchBytes(geometry))
    // Every code −128: the products of two of them are the largest there are.
    let weights = [Int8](repeating: -128, count: 512) + [Int8](repeating: 127, count: 512)
    let input = [Int8](repeating: -128, count: 1024)
    var output = [Int8](repeating: 0, count: 4)
    unsafe weights.withUnsafeBufferPointer { weights in
      unsafe [scale].withUnsafeBufferPointer { scales in
        unsafe table.packConvolutionInt8(
          PackInt8Arguments(
            weights: weights.baseAddress!, outputChannels: 2, depth: 512, lines: 1, scales: scales,
            bias: nil, inputZeroPoint: 0, destination: packed.raw))
      }
    }
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe table.convolutionInt8(
          ConvolutionInt8Arguments(
            geometry: geometry, input: input.baseAddress!, weights: packed.raw,
            output: output.baseAddress!, inputZeroPoint: 0, bounds: bounds,
            scalesAreBelowHalf: scale < 0.5, scratch: scratch.raw),
          WorkRange(rows: 0..<2, panels: 0..<1))
      }
    }
    return output
  }
}

@Suite("Depthwise convolution int8")
struct DepthwiseInt8Tests {
  static let geometries: [GeometryCase] =
    [1, 3, 7, 8, 15, 16, 17, 33, 64].map { channels in
      .init(
        name: "3×3 of \(channels) channels, padded",
        geometry: window(
          batch: 2, height: 5, width: 6, channels: channels, outputChannels: channels,
          kernel: (3, 3), padding: (1, 1, 1, 1)))
    } + [
      .init(
        name: "multiplier 8",
        geometry: window(
          height: 9, width: 7, channels: 1, outputChannels: 8, kernel: (4, 3), stride: (2, 2),
          padding: (1, 1, 2, 1))),
      .init(
        name: "multiplier 3 of 7",
        geometry: window(height: 4, width: 4, channels: 7, outputChannels: 21, kernel: (2, 2))),
      .init(
        name: "1×1",
        geometry: window(height: 3, width: 3, channels: 20, outputChannels: 20, kernel: (1, 1))),
      .init(
        name: "1×5",
        geometry: window(
          height: 1, width: 19, channels: 40, outputChannels: 40, kernel: (1, 5),
          padding: (0, 2, 0, 2))),
      .init(
        name: "5×1",
        geometry: window(height: 11, width: 1, channels: 40, outputChannels: 40, kernel: (5, 1))),
      .init(
        name: "3×3, stride 2",
        geometry: window(
          height: 9, width: 12, channels: 24, outputChannels: 24, kernel: (3, 3), stride: (2, 2),
          padding: (0, 0, 1, 1))),
      .init(
        name: "dilated, stride 2",
        geometry: window(
          height: 13, width: 11, channels: 24, outputChannels: 24, kernel: (3, 3), stride: (2, 2),
          dilation: (2, 2), padding: (2, 2, 2, 2))),
      .init(
        name: "3×3, a line of two kinds of tile",
        geometry: window(
          batch: 2, height: 4, width: 13, channels: 24, outputChannels: 24, kernel: (3, 3),
          padding: (1, 1, 1, 1))),
      .init(
        name: "5×5, a line of two kinds of tile",
        geometry: window(
          height: 6, width: 11, channels: 24, outputChannels: 24, kernel: (5, 5),
          padding: (2, 2, 2, 2))),
      .init(
        name: "5×5, stride 2",
        geometry: window(
          batch: 2, height: 7, width: 15, channels: 17, outputChannels: 17, kernel: (5, 5),
          stride: (2, 2), padding: (2, 2, 2, 2))),
      .init(
        name: "7×7",
        geometry: window(
          height: 8, width: 12, channels: 19, outputChannels: 19, kernel: (7, 7),
          padding: (3, 3, 3, 3))),
      .init(
        name: "1×10, multiplier 2",
        geometry: window(height: 1, width: 21, channels: 9, outputChannels: 18, kernel: (1, 10))),
      .init(
        name: "1×3, dilated, stride 3",
        geometry: window(
          height: 2, width: 23, channels: 20, outputChannels: 20, kernel: (1, 3), stride: (1, 3),
          dilation: (1, 2), padding: (0, 1, 0, 1))),
      .init(
        name: "25×5 kernel",
        geometry: window(height: 25, width: 5, channels: 16, outputChannels: 16, kernel: (25, 5))),
    ]

  @Test("matches the formula on every table", arguments: KernelTable.supported, geometries)
  func matchesFormula(table: KernelTable, edge: GeometryCase) {
    let problem = ConvolutionInt8Problem(
      edge.geometry, isDepthwise: true, isPerChannel: true, seed: 0xD0)
    #expect(problem.actual(table) == problem.expected)
    let positive = ConvolutionInt8Problem(
      edge.geometry, isDepthwise: true, isPerChannel: true, isPositive: true, seed: 0xD3)
    #expect(positive.actual(table) == positive.expected)
  }

  @Test(
    "takes weights with a zero point of their own", arguments: KernelTable.supported,
    [-128, -3, 127] as [Int32])
  func weightZeroPoint(table: KernelTable, zeroPoint: Int32) {
    for edge in Self.geometries {
      let problem = ConvolutionInt8Problem(
        edge.geometry, isDepthwise: true, isPerChannel: false, weightZeroPoint: zeroPoint,
        seed: 0xD2)
      #expect(problem.actual(table) == problem.expected, "\(edge.name)")
    }
  }

  @Test("gives the same bytes however the work is cut", arguments: KernelTable.supported)
  func workRangesCompose(table: KernelTable) {
    let problem = ConvolutionInt8Problem(
      Self.geometries[7].geometry, isDepthwise: true, isPerChannel: true, seed: 0xD1)
    #expect(problem.actual(table, parts: 7) == problem.actual(table))
  }
}
