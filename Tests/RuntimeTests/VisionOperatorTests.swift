import ByteParsing
import KernelDispatch
import KernelInterface
import Runtime
import TFLiteImport
import TestSupport
import Testing

/// Custom operators of segmentation networks, against their definitions.
@Suite("Operators of segmentation networks")
struct VisionOperatorTests {
  private func raw(_ numbers: [Float]) -> [UInt8] {
    numbers.flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) }
    }
  }

  private func options(_ numbers: [Int]) -> [UInt8] {
    numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
  }

  private func noise(_ count: Int, _ random: inout SplitMix64) -> [Float] {
    (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
  }

  @Test(
    "a transposed convolution with a bias adds a window for each element",
    arguments: [([2, 2], [2, 2], true), ([2, 2], [3, 4], true), ([1, 2], [3, 3], true),
      ([2, 3], [3, 2], false)], KernelTable.supported)
  func transposedConvolution(form: ([Int], [Int], Bool), table: KernelTable) throws {
    let (stride, kernel, isSame) = form
    var random = SplitMix64(seed: 21)
    let (height, width, channels, outputs) = (4, 5, 3, 6)
    let cut = zip([height, width], zip(kernel, stride)).map { count, form in
      isSame ? max(0, form.0 - (count - 1) % form.1 - 1) : 0
    }
    let rows = stride[0] * (height - 1) + kernel[0] - cut[0]
    let columns = stride[1] * (width - 1) + kernel[1] - cut[1]
    let data = noise(2 * height * width * channels, &random)
    let weights = noise(outputs * kernel[0] * kernel[1] * channels, &random)
    let bias = noise(outputs, &random)
    var file = SingleOperatorFile(custom: "Convolution2DTransposeBias")
    let operands = [
      file.input([2, height, width, channels]),
      file.constant([outputs] + kernel + [channels], weights), file.constant([outputs], bias),
    ]
    let output = file.output([2, rows, columns, outputs])
    let bytes = file.bytes(
      operands, [output], rawOptions: options([isSame ? 1 : 2, stride[1], stride[0], 0]))
    var expected = (0..<2 * rows * columns * outputs).map { Double(bias[$0 % outputs]) }
    for pixel in 0..<2 * height * width {
      let (n, y, x) = (pixel / (height * width), pixel / width % height, pixel % width)
      for tap in 0..<kernel[0] * kernel[1] {
        let row = y * stride[0] - cut[0] / 2 + tap / kernel[1]
        let column = x * stride[1] - cut[1] / 2 + tap % kernel[1]
        guard (0..<rows).contains(row), (0..<columns).contains(column) else { continue }
        for place in 0..<outputs * channels {
          let (o, c) = (place / channels, place % channels)
          expected[((n * rows + row) * columns + column) * outputs + o] +=
            Double(data[pixel * channels + c])
            * Double(weights[(o * kernel[0] * kernel[1] + tap) * channels + c])
        }
      }
    }
    let running = try RunningModel(ByteView(bytes), table)
    let actual = floats(running.outputs(for: [raw(data)])[0])
    #expect(actual.count == expected.count)
    #expect(zip(actual, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
  }

  @Test("a pool tells where its greatest elements were", arguments: KernelTable.supported)
  func pool(table: KernelTable) throws {
    var random = SplitMix64(seed: 22)
    var file = SingleOperatorFile(custom: "MaxPoolingWithArgmax2D")
    let input = file.input([2, 4, 6, 5])
    let outputs = [file.output([2, 2, 2, 5]), file.output([2, 2, 2, 5])]
    let bytes = file.bytes([input], outputs, rawOptions: options([1, 3, 2, 3, 2, 0]))
    // Few numbers, so that some are the greatest twice; then the first counts.
    let data = (0..<240).map { _ in Float(Int.random(in: -4...4, using: &random)) }
    let actual = try RunningModel(ByteView(bytes), table).outputs(for: [raw(data)]).map(floats)
    for place in 0..<40 {
      let (n, y, x, c) = (place / 20, place / 10 % 2, place / 5 % 2, place % 5)
      let window = (0..<6).map { tap in
        data[((n * 4 + 2 * y + tap / 3) * 6 + 3 * x + tap % 3) * 5 + c]
      }
      let greatest = window.max() ?? 0
      #expect(actual[0][place] == greatest)
      #expect(actual[1][place] == Float(window.firstIndex(of: greatest) ?? -1) + 0.1)
    }
  }

  @Test("elements are put back to their places", arguments: KernelTable.supported)
  func unpool(table: KernelTable) throws {
    var random = SplitMix64(seed: 23)
    var file = SingleOperatorFile(custom: "MaxUnpooling2D")
    let inputs = [file.input([1, 2, 3, 4]), file.input([1, 2, 3, 4])]
    let output = file.output([1, 4, 6, 4])
    let bytes = file.bytes(inputs, [output], rawOptions: options([1, 2, 2, 2, 2, 0]))
    let data = noise(24, &random)
    // Beyond the window's four places an element has none.
    let places = (0..<24).map { _ in Float(Int.random(in: 0...4, using: &random)) + 0.1 }
    var expected = [Float](repeating: 0, count: 96)
    for index in 0..<24 where places[index] < 4 {
      let (y, x, c, tap) = (index / 12, index / 4 % 3, index % 4, Int(places[index]))
      expected[((2 * y + tap / 2) * 6 + 2 * x + tap % 2) * 4 + c] = data[index]
    }
    let running = try RunningModel(ByteView(bytes), table)
    #expect(floats(running.outputs(for: [raw(data), raw(places)])[0]) == expected)
  }

  @Test("windows that overlap or leave a rest, and options that are cut, are refused")
  func refusals() {
    let wrong: [(String, [Int], [Int])] = [
      ("MaxPoolingWithArgmax2D", [1, 1, 2, 2, 2, 0], [1, 4, 4, 1]),
      ("MaxPoolingWithArgmax2D", [1, 2, 2, 2, 2, 0], [1, 5, 4, 1]),
      ("MaxPoolingWithArgmax2D", [0, 2, 2, 2, 2, 0], [1, 4, 4, 1]),
      ("MaxPoolingWithArgmax2D", [1, 2, 2, 2, 2, 9], [1, 4, 4, 1]),
      ("MaxPoolingWithArgmax2D", [1, 2, 2, 2, 2], [1, 4, 4, 1]),
      ("MaxPoolingWithArgmax2D", [1, 0, 0, 0, 0, 0], [1, 4, 4, 1]),
      ("Convolution2DTransposeBias", [3, 2, 2], [1, 4, 4, 1]),
      ("Convolution2DTransposeBias", [1, 0, 2], [1, 4, 4, 1]),
      ("Convolution2DTransposeBias", [1, 2], [1, 4, 4, 1]),
    ]
    for (name, numbers, shape) in wrong {
      var file = SingleOperatorFile(custom: name)
      var operands = [file.input(shape)]
      var outputs = [file.output([1, 2, 2, 1])]
      if name.hasPrefix("Max") {
        outputs.append(file.output([1, 2, 2, 1]))
      } else {
        operands += [
          file.constant([1, 2, 2, 1], [Float](repeating: 1, count: 4)), file.constant([1], [0 as Float]),
        ]
      }
      let bytes = file.bytes(operands, outputs, rawOptions: options(numbers))
      #expect(throws: TFLiteError.self, "\(name) \(numbers)") {
        try TFLiteModel.graph(from: ByteView(bytes))
      }
    }
  }
}
