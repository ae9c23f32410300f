import Glibc
import KernelDispatch
import KernelInterface
import Tensors
import TestSupport
import Testing

@Suite("Kernels of rare operators")
struct RareKernelTests {
  @Test("a transform follows its formula", arguments: [(1, 1), (1, 2), (1, 16), (4, 8), (8, 1), (2, 64)])
  func spectrum(height: Int, width: Int) {
    var random = SplitMix64(seed: UInt64(height * 100 + width))
    // An input that is cut along one axis and filled along the other.
    let (rows, columns) = (height + 1, max(width - 1, 1))
    let input = (0..<2 * rows * columns).map { _ in Float.random(in: -1...1, using: &random) }
    let bins = width / 2 + 1
    var wanted: [Double] = []
    for picture in 0..<2 {
      for u in 0..<height {
        for v in 0..<bins {
          var (real, imaginary) = (0.0, 0.0)
          for r in 0..<min(rows, height) {
            for c in 0..<min(columns, width) {
              let angle = -2 * Double.pi
                * (Double(u * r) / Double(height) + Double(v * c) / Double(width))
              let x = Double(input[(picture * rows + r) * columns + c])
              real += x * cos(angle)
              imaginary += x * sin(angle)
            }
          }
          wanted += [real, imaginary]
        }
      }
    }
    var turns: [Double] = []
    for count in [width, height] {
      for k in 0..<count / 2 {
        let angle = 2 * Double.pi * Double(k) / Double(count)
        turns += [cos(angle), -sin(angle)]
      }
    }
    // An address even where there are none.
    turns.append(0)
    for table in KernelTable.supported {
      var output = [Float](repeating: .nan, count: wanted.count)
      var scratch = [Double](
        repeating: .nan,
        count: SpectrumArguments.scratchBytes(height: height, width: width) / 8)
      unsafe input.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe turns.withUnsafeBufferPointer { turns in
            unsafe scratch.withUnsafeMutableBufferPointer { scratch in
              unsafe table.general.rare.spectrum(
                SpectrumArguments(
                  inputHeight: rows, inputWidth: columns, height: height, width: width,
                  input: input.baseAddress!, output: output.baseAddress!,
                  turns: turns.baseAddress!, scratch: scratch.baseAddress!), 0..<2)
            }
          }
        }
      }
      let furthest = zip(output, wanted).map { abs(Double($0) - $1) }.max() ?? .infinity
      #expect(furthest < 1e-5, "\(table.name)")
    }
  }

  @Test("the greatest elements come in order, equal ones as they lie", arguments: 0..<50)
  func top(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let columns = Int.random(in: 1...40, using: &random)
    let count = Int.random(in: 0...columns, using: &random)
    let input = (0..<3 * columns).map { _ in Int8.random(in: -5...5, using: &random) }
    let wanted = (0..<3).flatMap { row -> [Int32] in
      let order = (0..<columns).sorted {
        let (a, b) = (input[row * columns + $0], input[row * columns + $1])
        return a == b ? $0 < $1 : a > b
      }
      return order.prefix(count).map { Int32($0) }
    }
    for table in KernelTable.supported {
      var values = [Int8](repeating: 0, count: 3 * count + 1)
      var indices = [Int32](repeating: 0, count: 3 * count + 1)
      unsafe input.withUnsafeBytes { input in
        unsafe values.withUnsafeMutableBytes { values in
          unsafe indices.withUnsafeMutableBufferPointer { indices in
            unsafe table.general.rare.pickTop(
              TopArguments(
                type: .int8, columns: columns, count: count, input: input.baseAddress!,
                values: values.baseAddress!, indices: indices.baseAddress!), 0..<3)
          }
        }
      }
      #expect(Array(indices.dropLast()) == wanted, "\(table.name)")
      for (place, index) in wanted.enumerated() {
        #expect(values[place] == input[place / count * columns + Int(index)])
      }
    }
  }

  @Test("slices are summed where their indices say, and those outside nowhere", arguments: KernelTable.supported)
  func scatter(table: KernelTable) {
    // A picture of 3 × 2 pixels of two numbers; pixels by row and column.
    let indices: [Int64] = [2, 1, 0, 0, 2, 1, 3, 0, 0, -1]
    let updates: [Int32] = [1, 2, 3, 4, 10, 20, 7, 7, 8, 8]
    var output = [Int32](repeating: -1, count: 12)
    var (extents, strides) = (SIMD8<Int>(repeating: 1), SIMD8<Int>())
    (extents[0], extents[1], strides[0], strides[1]) = (3, 2, 4, 2)
    unsafe indices.withUnsafeBytes { indices in
      unsafe updates.withUnsafeBytes { updates in
        unsafe output.withUnsafeMutableBytes { output in
          unsafe table.general.rare.scatter(
            ScatterArguments(
              type: .int32, depth: 2, extents: extents, strides: strides, inner: 2, slices: 5,
              count: 12, hasWideIndices: true, indices: indices.baseAddress!,
              updates: updates.baseAddress!, output: output.baseAddress!))
        }
      }
    }
    #expect(output == [3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 11, 22])
  }

  /// Boxes that the detector gives, decoded with anchors of unit size and unit scales.
  private func detect(
    _ table: KernelTable, boxes: [[Float]], scores: [[Float]], isByClass: Bool, limit: Int = 4,
    classesPerDetection: Int = 1
  ) -> (boxes: [Float], classes: [Float], scores: [Float], count: Float) {
    let classes = scores[0].count
    let places = limit * classesPerDetection
    // From the centre and the logarithms of height and width.
    var (encodings, anchors): ([Float], [Float]) = ([], [])
    for box in boxes {
      encodings += [box[0], box[1], Float(log(Double(box[2]))), Float(log(Double(box[3])))]
      anchors += [0, 0, 1, 1]
    }
    var scratch = [UInt8](
      repeating: 0xA5,
      count: DetectionArguments.scratchBytes(
        boxes: boxes.count, classes: classes, detectionsMaximum: limit))
    var output = [Float](repeating: .nan, count: 6 * places + 1)
    let flat = scores.flatMap { $0 }
    unsafe encodings.withUnsafeBufferPointer { encodings in
      unsafe flat.withUnsafeBufferPointer { scores in
        unsafe anchors.withUnsafeBufferPointer { anchors in
          unsafe scratch.withUnsafeMutableBytes { scratch in
            unsafe output.withUnsafeMutableBufferPointer { output in
              let base = output.baseAddress!
              unsafe table.general.rare.detect(
                DetectionArguments(
                  boxes: boxes.count, encodingStride: 4, scoreStride: classes, classes: classes,
                  detectionsMaximum: limit, detectionsPerClass: 2,
                  classesPerDetection: classesPerDetection, isByClass: isByClass,
                  scoreThreshold: 0.3, overlapThreshold: 0.5, scales: [1, 1, 1, 1],
                  encodings: encodings.baseAddress!, scores: scores.baseAddress!,
                  anchors: anchors.baseAddress!, scratch: scratch.baseAddress!,
                  outputBoxes: base, outputClasses: base + 4 * places,
                  outputScores: base + 5 * places, outputCount: base + 6 * places))
            }
          }
        }
      }
    }
    return (
      Array(output[..<(4 * places)]), Array(output[(4 * places)..<(5 * places)]),
      Array(output[(5 * places)..<(6 * places)]), output[6 * places]
    )
  }

  /// Three boxes in one place, one elsewhere, and one of low score.
  private static let boxes: [[Float]] = [
    [1, 1, 2, 2], [1, 1, 2, 2], [5, 5, 2, 2], [1, 1.25, 2, 2], [9, 9, 1, 1],
  ]

  @Test("boxes give way to better ones of any class", arguments: KernelTable.supported)
  func detectsByBestClass(table: KernelTable) {
    let scores: [[Float]] = [[0.5, 0.1], [0.2, 0.9], [0.6, 0.7], [0.8, 0.3], [0.2, 0.1]]
    let found = detect(table, boxes: Self.boxes, scores: scores, isByClass: false)
    #expect(found.count == 2)
    #expect(found.classes == [1, 1, 0, 0])
    #expect(found.scores == [0.9, 0.7, 0, 0])
    let wanted: [Float] = [0, 0, 2, 2, 4, 4, 6, 6, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(zip(found.boxes, wanted).allSatisfy { abs($0 - $1) < 1e-5 })
    let both = detect(
      table, boxes: Self.boxes, scores: scores, isByClass: false, limit: 2, classesPerDetection: 2)
    #expect(both.count == 2)
    #expect(both.classes == [1, 0, 1, 0])
    #expect(both.scores == [0.9, 0.2, 0.7, 0.6])
  }

  @Test("boxes of several classes stay side by side", arguments: KernelTable.supported)
  func detectsByClass(table: KernelTable) {
    let scores: [[Float]] = [[0.5, 0.1], [0.2, 0.9], [0.6, 0.7], [0.8, 0.3], [0.2, 0.1]]
    let found = detect(table, boxes: Self.boxes, scores: scores, isByClass: true)
    #expect(found.count == 4)
    #expect(found.classes == [1, 0, 1, 0])
    #expect(found.scores == [0.9, 0.8, 0.7, 0.6])
    let one = detect(table, boxes: Self.boxes, scores: scores, isByClass: true, limit: 1)
    #expect(one.count == 1)
    #expect(one.scores == [0.9])
  }

  @Test("sequences turn round up to their lengths", arguments: KernelTable.supported)
  func reversesSequences(table: KernelTable) {
    // Two sequences of four moments, once along the rows and once along the columns.
    let input: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    func run(_ turnsFirst: Bool, _ lengths: [Int32], _ first: Int, _ second: Int) -> [UInt8] {
      var output = [UInt8](repeating: 0, count: 8)
      unsafe input.withUnsafeBytes { input in
        unsafe lengths.withUnsafeBytes { lengths in
          unsafe output.withUnsafeMutableBytes { output in
            unsafe table.general.rare.reverseSequence(
              ReverseSequenceArguments(
                outer: 1, first: first, middle: 1, second: second, innerBytes: 1,
                turnsFirst: turnsFirst, hasWideLengths: false, lengths: lengths.baseAddress!,
                input: input.baseAddress!, output: output.baseAddress!), 0..<8)
          }
        }
      }
      return output
    }
    #expect(run(false, [2, 4], 2, 4) == [2, 1, 3, 4, 8, 7, 6, 5])
    #expect(run(true, [4, 0], 4, 2) == [7, 2, 5, 4, 3, 6, 1, 8])
  }

  @Test("softmax to 16 bits is softmax", arguments: KernelTable.supported)
  func softmaxWide(table: KernelTable) {
    var random = SplitMix64(seed: 9)
    let columns = 17
    let input = (0..<2 * columns).map { _ in Int8.random(in: -128...127, using: &random) }
    let entries = SoftmaxTableInt16(inputScale: 0.07, beta: 1).entries
    var output = [Int16](repeating: 0, count: input.count)
    unsafe entries.withUnsafeBufferPointer { entries in
      unsafe input.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe table.general.rare.softmaxWide(
            SoftmaxWideArguments(
              table: entries.baseAddress!, columns: columns, input: input.baseAddress!,
              output: output.baseAddress!), 0..<2)
        }
      }
    }
    for row in 0..<2 {
      let logits = input[row * columns..<(row + 1) * columns].map { exp(0.07 * Double($0)) }
      let sum = logits.reduce(0, +)
      for (column, logit) in logits.enumerated() {
        let code = Double(output[row * columns + column]) + 32768
        #expect(abs(code - 65536 * logit / sum) < 2)
      }
    }
  }
}
