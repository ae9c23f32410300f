import KernelDispatch
import KernelInterface
import TestSupport
import Testing

/// One convolution of int16 activations and int8 weights.
private struct ConvolutionInt16Problem {
  let geometry: WindowGeometry
  let isDepthwise: Bool
  let input: [Int16]
  let weights: [Int8]
  let bias: [Int64]
  let scales: [OutputScaleInt16]

  init(_ geometry: WindowGeometry, isDepthwise: Bool, isNarrow: Bool = true, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    self.geometry = geometry
    self.isDepthwise = isDepthwise
    let channels = geometry.outputChannels
    let depth = isDepthwise ? geometry.taps : geometry.depth
    input = (0..<geometry.inputCount).map { _ in Int16.random(in: .min ... .max, using: &random) }
    weights = random.codes(depth * channels)
    bias = (0..<channels).map { _ in Int64.random(in: -1_000_000...1_000_000, using: &random) }
    scales = (0..<channels).map { _ in
      OutputScaleInt16(
        Double.random(in: 0.5...2, using: &random) / 128 / Double(depth).squareRoot(),
        isNarrow: isNarrow)
    }
  }

  var expected: [Int16] {
    (0..<geometry.outputRows).flatMap { row in
      let pixels = geometry.tapPixels(row)
      return (0..<geometry.outputChannels).map { channel in
        var sum = bias[channel]
        for (tap, pixel) in pixels.enumerated() {
          guard let pixel else { continue }
          let first = pixel * geometry.inputChannels
          if isDepthwise {
            let source = channel / (geometry.outputChannels / geometry.inputChannels)
            sum += Int64(input[first + source])
              * Int64(weights[tap * geometry.outputChannels + channel])
          } else {
            for k in 0..<geometry.inputChannels {
              sum += Int64(input[first + k])
                * Int64(weights[channel * geometry.depth + tap * geometry.inputChannels + k])
            }
          }
        }
        let scale = scales[channel]
        let product = sum * Int64(scale.multiplier)
        let scaled = (product + (1 << Int64(scale.shift - 1))) >> Int64(scale.shift)
        return Int16(max(-32768, min(32767, scaled)))
      }
    }
  }

  func actual(_ table: KernelTable, parts: Int) -> [Int16] {
    let panels = (geometry.outputChannels + 15) / 16
    let filler = panels * 16 - geometry.outputChannels
    let packed =
      isDepthwise
      ? weights
      : ConvolutionInt16Arguments.packed(
        weights, outputChannels: geometry.outputChannels, depth: geometry.depth)
    let bias = bias + Array(repeating: 0, count: filler)
    let multipliers = scales.map(\.multiplier) + Array(repeating: 0, count: filler)
    let shifts = scales.map(\.shift) + Array(repeating: 1, count: filler)
    let scratch = Memory(
      isDepthwise
        ? ConvolutionInt16Arguments.depthwiseScratchBytes(geometry)
        : ConvolutionInt16Arguments.convolutionScratchBytes(geometry))
    var output = [Int16](repeating: 77, count: geometry.outputCount)
    unsafe output.withUnsafeMutableBufferPointer { output in
      unsafe input.withUnsafeBufferPointer { input in
        unsafe packed.withUnsafeBufferPointer { packed in
          unsafe bias.withUnsafeBufferPointer { bias in
            unsafe multipliers.withUnsafeBufferPointer { multipliers in
              unsafe shifts.withUnsafeBufferPointer { shifts in
                let arguments = unsafe ConvolutionInt16Arguments(
                  geometry: geometry, input: input.baseAddress!, weights: packed.baseAddress!,
                  bias: bias.baseAddress!, multipliers: multipliers.baseAddress!,
                  shifts: shifts.baseAddress!, minimum: .min, maximum: .max,
                  output: output.baseAddress!, scratch: scratch.raw)
                for range in workRanges(geometry.outputRows, panels, parts) {
                  if !isDepthwise {
                    table.int16.convolution(arguments, range)
                  } else if range.panels.lowerBound == 0 {
                    table.int16.depthwise(arguments, range.rows)
                  }
                }
              }
            }
          }
        }
      }
    }
    return output
  }
}

@Suite("Int16 activations")
struct Int16Tests {
  static let geometries: [WindowGeometry] = [
    .init(rows: 5, inputDepth: 33, outputDepth: 20), .init(rows: 1, inputDepth: 700, outputDepth: 3),
    window(
      batch: 2, height: 6, width: 5, channels: 3, outputChannels: 17, kernel: (3, 3),
      stride: (2, 1), padding: (1, 1, 1, 1)),
  ]
  static let depthwiseGeometries: [WindowGeometry] = [
    window(
      height: 6, width: 5, channels: 19, outputChannels: 19, kernel: (3, 3),
      padding: (1, 1, 1, 1)),
    window(
      height: 9, width: 7, channels: 3, outputChannels: 6, kernel: (3, 2), stride: (2, 2),
      dilation: (2, 2), padding: (2, 2, 2, 2)),
  ]

  @Test("convolutions match the formula", arguments: KernelTable.supported, geometries)
  func convolution(table: KernelTable, geometry: WindowGeometry) {
    for isNarrow in [true, false] {
      let problem = ConvolutionInt16Problem(
        geometry, isDepthwise: false, isNarrow: isNarrow, seed: 0x160)
      #expect(problem.actual(table, parts: 1) == problem.expected)
      #expect(problem.actual(table, parts: 3) == problem.expected)
    }
  }

  @Test("depthwise convolutions match the formula", arguments: KernelTable.supported, depthwiseGeometries)
  func depthwise(table: KernelTable, geometry: WindowGeometry) {
    let problem = ConvolutionInt16Problem(geometry, isDepthwise: true, seed: 0x161)
    #expect(problem.actual(table, parts: 2) == problem.expected)
  }

  @Test("codes of every width are requantised as the reference rounds", arguments: KernelTable.supported)
  func requantizes(table: KernelTable) {
    var random = SplitMix64(seed: 0x162)
    let input = (0..<999).map { _ in Int16.random(in: .min ... .max, using: &random) }
    for ratio in [0.9, 3.7e-3, 1.7] {
      let scale = FixedPointScale(ratio)
      var output = [Int8](repeating: 0, count: input.count)
      unsafe input.withUnsafeBytes { input in
        unsafe output.withUnsafeMutableBytes { output in
          unsafe table.int16.requantize(
            RequantizeCodesArguments(
              inputBytes: 2, outputBytes: 1, scale: scale, inputZeroPoint: 5, zeroPoint: -3,
              minimum: -128, maximum: 127, count: 999, input: input.baseAddress!,
              output: output.baseAddress!))
        }
      }
      #expect(output == input.map { Int8(max(-128, min(127, scale.apply(Int32($0) - 5) - 3))) })
    }
  }

  @Test("a table is interpolated, within three codes of its function", arguments: KernelTable.supported)
  func interpolates(table: KernelTable) {
    let function = LookupTableInt16(
      inputScale: 8 / 32768, inputZeroPoint: 0, outputScale: 1 / 32768
    ) { 1 / (1 + exponential(-$0)) }
    let input = (Int16.min ... Int16.max).map { $0 }
    var output = [Int16](repeating: 0, count: input.count)
    unsafe function.entries.withUnsafeBufferPointer { entries in
      unsafe input.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe table.int16.lookup(
            LookupInt16Arguments(
              table: entries.baseAddress!, count: input.count, input: input.baseAddress!,
              output: output.baseAddress!))
        }
      }
    }
    let expected = input.map { code -> Int16 in
      let (index, rest) = (256 + Int(code) >> 7, Int(code) & 127)
      let (low, high) = (Int(function.entries[index]), Int(function.entries[index + 1]))
      return Int16(low + ((high - low) * rest + 64) >> 7)
    }
    #expect(output == expected)
    // The reference's own table ends a code early, and its codes are a little less than the scale.
    let furthest = zip(input, output).map { code, value in
      abs(32768 / (1 + exponential(-Double(code) * 8 / 32768)) - Double(value))
    }.max()
    #expect(furthest ?? 9 <= 3)
  }
}
