import KernelDispatch
import KernelInterface
import TestSupport
import Testing

/// One float32 convolution with everything that its formula names.
struct ConvolutionFloat32Problem {
  let geometry: WindowGeometry
  let input: [Float]
  let weights: [Float]
  let bias: [Float]
  let bounds = OutputBoundsFloat32(minimum: -3, maximum: 6)
  let isDepthwise: Bool

  init(_ geometry: WindowGeometry, isDepthwise: Bool, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    self.geometry = geometry
    self.isDepthwise = isDepthwise
    input = random.floats(geometry.inputCount)
    let depth = isDepthwise ? geometry.taps : geometry.depth
    weights = random.floats(depth * geometry.outputChannels, -0.5...0.5)
    bias = random.floats(geometry.outputChannels)
  }

  /// In double precision, with the magnitude that bounds the rounding errors.
  var expected: [(value: Double, magnitude: Double)] {
    (0..<geometry.outputRows).flatMap { row in
      let pixels = geometry.tapPixels(row)
      return (0..<geometry.outputChannels).map { channel in
        var (sum, magnitude) = (Double(bias[channel]), abs(Double(bias[channel])))
        for (tap, pixel) in pixels.enumerated() {
          guard let pixel else { continue }
          for (x, w) in terms(tap, pixel, channel) {
            sum += Double(x) * Double(w)
            magnitude += abs(Double(x) * Double(w))
          }
        }
        return (min(max(sum, Double(bounds.minimum)), Double(bounds.maximum)), magnitude)
      }
    }
  }

  private func terms(_ tap: Int, _ pixel: Int, _ channel: Int) -> [(Float, Float)] {
    let first = pixel * geometry.inputChannels
    if isDepthwise {
      let source = channel / (geometry.outputChannels / geometry.inputChannels)
      return [(input[first + source], weights[tap * geometry.outputChannels + channel])]
    }
    return (0..<geometry.inputChannels).map { k in
      (
        input[first + k],
        weights[channel * geometry.depth + tap * geometry.inputChannels + k]
      )
    }
  }

  func actual(_ table: KernelTable, parts: Int = 1) -> [Float] {
    let packed = Memory(
      isDepthwise
        ? table.depthwiseFloat32Weights(geometry).byteCount
        : table.convolutionFloat32Weights(geometry).byteCount)
    let scratch = Memory(
      isDepthwise
        ? table.depthwiseFloat32ScratchBytes(geometry)
        : table.convolutionFloat32ScratchBytes(geometry))
    var output = [Float](repeating: .nan, count: geometry.outputCount)
    unsafe weights.withUnsafeBufferPointer { weights in
      unsafe bias.withUnsafeBufferPointer { bias in
        let arguments = unsafe PackFloat32Arguments(
          weights: weights.baseAddress!, outputChannels: geometry.outputChannels,
          depth: isDepthwise ? geometry.taps : geometry.depth, bias: bias.baseAddress!,
          destination: packed.raw)
        if isDepthwise {
          table.packDepthwiseFloat32(arguments)
        } else {
          table.packConvolutionFloat32(arguments)
        }
      }
    }
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        guard let first = input.baseAddress, output.count > 0 else { return }
        let arguments = unsafe ConvolutionFloat32Arguments(
          geometry: geometry, input: first, weights: packed.raw, output: output.baseAddress!,
          bounds: bounds, scratch: scratch.raw)
        let panels = (geometry.outputChannels + 15) / 16
        for range in workRanges(geometry.outputRows, panels, parts) {
          if isDepthwise {
            table.depthwiseFloat32(arguments, range)
          } else {
            table.convolutionFloat32(arguments, range)
          }
        }
      }
    }
    return output
  }

  /// Whether every value is within the bound of recursive summation, depth · 2⁻²⁴ · Σ|terms|.
  func isClose(_ actual: [Float]) -> Bool {
    let unit = Double(isDepthwise ? geometry.taps : geometry.depth) + 2
    return zip(actual, expected).allSatisfy { actual, expected in
      abs(Double(actual) - expected.value) <= unit * 0x1p-24 * expected.magnitude
    } && actual.count == geometry.outputCount
  }
}

@Suite("Convolution float32")
struct ConvolutionFloat32Tests {
  @Test(
    "stays within the error bound of summation", arguments: KernelTable.supported,
    GeometryCase.convolutions)
  func matchesFormula(table: KernelTable, edge: GeometryCase) {
    let problem = ConvolutionFloat32Problem(edge.geometry, isDepthwise: false, seed: 0xF0)
    #expect(problem.isClose(problem.actual(table)))
  }

  @Test("gives the same bits however channels are cut", arguments: KernelTable.supported)
  func workRangesCompose(table: KernelTable) {
    let geometry = window(
      height: 8, width: 8, channels: 9, outputChannels: 37, kernel: (3, 3), padding: (1, 1, 1, 1))
    let problem = ConvolutionFloat32Problem(geometry, isDepthwise: false, seed: 0xF1)
    #expect(problem.isClose(problem.actual(table, parts: 5)))
  }

  @Test("keeps NaN through bias and bounds", arguments: KernelTable.supported)
  func keepsNaN(table: KernelTable) {
    let geometry = WindowGeometry(rows: 1, inputDepth: 2, outputDepth: 3)
    var problem = ConvolutionFloat32Problem(geometry, isDepthwise: false, seed: 0xF2)
    problem = problem.replacingInput([.nan, 1])
    #expect(problem.actual(table).allSatisfy { $0.isNaN })
  }
}

extension ConvolutionFloat32Problem {
  fileprivate func replacingInput(_ input: [Float]) -> Self {
    Self(geometry: geometry, input: input, weights: weights, bias: bias, isDepthwise: isDepthwise)
  }

  private init(
    geometry: WindowGeometry, input: [Float], weights: [Float], bias: [Float], isDepthwise: Bool
  ) {
    self.geometry = geometry
    self.input = input
    self.weights = weights
    self.bias = bias
    self.isDepthwise = isDepthwise
  }
}

@Suite("Depthwise convolution float32")
struct DepthwiseFloat32Tests {
  @Test(
    "stays within the error bound of summation", arguments: KernelTable.supported,
    DepthwiseInt8Tests.geometries)
  func matchesFormula(table: KernelTable, edge: GeometryCase) {
    let problem = ConvolutionFloat32Problem(edge.geometry, isDepthwise: true, seed: 0xE0)
    #expect(problem.isClose(problem.actual(table)))
  }
}
