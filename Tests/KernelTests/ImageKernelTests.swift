import KernelDispatch
import KernelInterface
import Tensors
import TestSupport
import Testing

/// What segmentation networks end with: another size, and the likeliest class of each pixel. Channels straddle vectors.
@Suite("Image kernels")
struct ImageKernelTests {
  /// A bilinear enlargement of `[1, 3, 4, c]` to `[1, 5, 9, c]`.
  private struct Enlargement {
    let channels: Int
    let height = 3
    let width = 4
    let outputHeight = 5
    let outputWidth = 9

    var inputCount: Int { height * width * channels }
    var outputCount: Int { outputHeight * outputWidth * channels }

    func run<T: BitwiseCopyable>(_ table: KernelTable, _ type: DataType, _ input: [T], fill: T) -> [T] {
      var output = [T](repeating: fill, count: outputCount)
      unsafe input.withUnsafeBytes { input in
        unsafe output.withUnsafeMutableBytes { output in
          let arguments = unsafe ResizeArguments(
            isBilinear: true, alignsCorners: false, hasHalfPixelCenters: false, type: type,
            height: height, width: width, channels: channels, outputHeight: outputHeight,
            outputWidth: outputWidth, input: input.baseAddress!, output: output.baseAddress!)
          table.general.resize(arguments, 2..<outputHeight)
          table.general.resize(arguments, 0..<2)
        }
      }
      return output
    }

    /// `combine` of the elements above left, above right, below left and below right of each output element, and of where
    /// it lies between them, down and to the right.
    func expected<T>(_ input: [T], _ combine: ([T], Float, Float) -> T) -> [T] {
      var result: [T] = []
      for y in 0..<outputHeight {
        let down = Float(y) * (Float(height) / Float(outputHeight))
        let upper = Int(down)
        let lower = min(Int(down.rounded(.up)), height - 1)
        for x in 0..<outputWidth {
          let along = Float(x) * (Float(width) / Float(outputWidth))
          let left = Int(along)
          let right = min(Int(along.rounded(.up)), width - 1)
          for channel in 0..<channels {
            let corners = [(upper, left), (upper, right), (lower, left), (lower, right)].map {
              input[($0.0 * width + $0.1) * channels + channel]
            }
            result.append(combine(corners, down - Float(upper), along - Float(left)))
          }
        }
      }
      return result
    }
  }

  @Test("bytes are enlarged as the reference's floats say", arguments: [1, 3, 16, 21, 40])
  func enlargesBytes(channels: Int) {
    var random = SplitMix64(seed: UInt64(channels))
    let enlargement = Enlargement(channels: channels)
    let input = random.codes(enlargement.inputCount).map { UInt8(bitPattern: $0) }
    let expected = enlargement.expected(input) { corners, down, along in
      var sum = Float(corners[0]) * (1 - down) * (1 - along)
      sum = sum + Float(corners[2]) * down * (1 - along)
      sum = sum + Float(corners[1]) * (1 - down) * along
      sum = sum + Float(corners[3]) * down * along
      return UInt8(sum + 0.5)
    }
    for table in KernelTable.supported {
      #expect(enlargement.run(table, .uint8, input, fill: 7) == expected, "\(table.name)")
    }
  }

  @Test("floats are enlarged", arguments: [1, 3, 16, 21, 40])
  func enlargesFloats(channels: Int) {
    var random = SplitMix64(seed: UInt64(channels))
    let enlargement = Enlargement(channels: channels)
    let input = random.floats(enlargement.inputCount)
    let expected = enlargement.expected(input) { corners, down, along in
      let above = corners[0] * ((1 - down) * (1 - along)) + corners[1] * ((1 - down) * along)
      return above + (corners[2] * (down * (1 - along)) + corners[3] * (down * along))
    }
    for table in KernelTable.supported {
      #expect(enlargement.run(table, .float32, input, fill: .nan) == expected, "\(table.name)")
    }
  }

  @Test("codes are enlarged in 2⁻²⁰ of a pixel, a half away from zero", arguments: [1, 3, 16, 21, 40])
  func enlargesCodes(channels: Int) {
    var random = SplitMix64(seed: UInt64(channels))
    let enlargement = Enlargement(channels: channels)
    let input = random.codes(enlargement.inputCount)
    let (downStep, alongStep) = ((1024 * 3 + 5 / 2) / 5, (1024 * 4 + 9 / 2) / 9)
    var expected: [Int8] = []
    for y in 0..<5 {
      for x in 0..<9 {
        let (down, along) = (y * downStep, x * alongStep)
        let (upper, left) = (down / 1024, along / 1024)
        let (lower, right) = (min((down + 1023) / 1024, 2), min((along + 1023) / 1024, 3))
        let (v, h) = (down - 1024 * upper, along - 1024 * left)
        for channel in 0..<channels {
          func code(_ row: Int, _ column: Int) -> Int {
            Int(input[(row * 4 + column) * channels + channel])
          }
          let sum =
            (1024 - v) * ((1024 - h) * code(upper, left) + h * code(upper, right))
            + v * ((1024 - h) * code(lower, left) + h * code(lower, right))
          expected.append(Int8((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20)))
        }
      }
    }
    for table in KernelTable.supported {
      #expect(enlargement.run(table, .int8, input, fill: 7) == expected, "\(table.name)")
    }
  }

  @Test("the first of the greatest or least codes of a row is found", arguments: [1, 15, 16, 17, 21, 32, 300])
  func findsExtremes(count: Int) {
    var random = SplitMix64(seed: UInt64(count))
    // Few different codes, so that many are the same.
    let codes = (0..<4 * count).map { _ in [-128, -1, 0, 3, 127].randomElement(using: &random)! as Int8 }
    for isMaximum in [true, false] {
      for (type, flip) in [(DataType.int8, Int8(0)), (.uint8, .min)] {
        let expected = (0..<4).map { row -> Int64 in
          let line = codes[row * count..<(row + 1) * count].map { $0 ^ flip }
          return Int64(line.firstIndex(of: isMaximum ? line.max()! : line.min()!)!)
        }
        for table in KernelTable.supported {
          var output = [Int64](repeating: -1, count: 4)
          unsafe codes.withUnsafeBytes { input in
            unsafe output.withUnsafeMutableBytes { output in
              unsafe table.general.argumentOfExtreme(
                ArgumentArguments(
                  isMaximum: isMaximum, type: type,
                  shape: ReductionShape(outer: 4, reduced: count, inner: 1), outputType: .int64,
                  input: input.baseAddress!, output: output.baseAddress!), 0..<4)
            }
          }
          #expect(output == expected, "\(table.name)")
        }
      }
    }
  }
}
