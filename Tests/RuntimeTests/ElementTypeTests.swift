import ByteParsing
import KernelDispatch
import KernelInterface
import ModelGraph
import Runtime
import TestSupport
import Tensors
import Testing

/// Graphs of a few nodes, written where they are used.
private struct SmallGraph {
  var graph = Graph(values: [], nodes: [], inputs: [], outputs: [])

  mutating func input(_ type: TensorType) -> ValueID {
    graph.inputs.append(graph.append(Value(name: "input", type: type)))
    return graph.inputs[graph.inputs.count - 1]
  }

  mutating func constant<T: BitwiseCopyable>(_ elements: [T], _ type: TensorType) -> ValueID {
    graph.append(Value(name: "constant", type: type, constant: ByteView(elements)))
  }

  /// Adds the last node, whose result is the output.
  func ending(_ operation: Operator, _ inputs: [ValueID], _ type: TensorType) -> Graph {
    var result = graph
    let output = result.append(Value(name: "output", type: type))
    result.nodes.append(Node(operation, inputs: inputs, outputs: [output]))
    result.outputs = [output]
    return result
  }
}

private func run(_ graph: Graph, _ table: KernelTable, _ inputs: [[UInt8]]) throws -> [UInt8] {
  let model = try PreparedModel(try Plan(graph, table: table))
  let instance = try Instance(model, pool: nil)
  for (index, input) in inputs.enumerated() {
    unsafe instance.withInput(index) { bytes in unsafe bytes.copyBytes(from: input) }
  }
  instance.run()
  return unsafe instance.withOutput(0) { bytes in unsafe [UInt8](bytes) }
}

private func bytes<T: BitwiseCopyable>(_ elements: [T]) -> [UInt8] { ByteView(elements).array }

@Suite("Element types and forms of weights")
struct ElementTypeTests {
  private static let window = Window2D(strideHeight: 1, strideWidth: 1, padding: .same)

  /// A 3 × 3 convolution of a 5 × 4 picture, one element at a time.
  private func grouped(
    _ input: [Float], _ weights: [Float], channels: Int, outputs: Int, own: Int
  ) -> [Float] {
    var result: [Float] = []
    for pixel in 0..<20 {
      for output in 0..<outputs {
        var sum = 0.0
        for tap in 0..<9 {
          let (y, x) = (pixel / 4 + tap / 3 - 1, pixel % 4 + tap % 3 - 1)
          guard (0..<5).contains(y), (0..<4).contains(x) else { continue }
          for channel in 0..<own {
            let from = output / (outputs / (channels / own)) * own + channel
            sum += Double(input[(y * 4 + x) * channels + from])
              * Double(weights[(output * 9 + tap) * own + channel])
          }
        }
        result.append(Float(sum))
      }
    }
    return result
  }

  @Test("a convolution in groups reads each group's own channels", arguments: [1, 2, 3])
  func groups(own: Int) throws {
    var random = SplitMix64(seed: UInt64(own))
    let (channels, outputs) = (6, 12)
    let input = (0..<20 * channels).map { _ in Float.random(in: -1...1, using: &random) }
    let weights = (0..<outputs * 9 * own).map { _ in Float.random(in: -1...1, using: &random) }
    var small = SmallGraph()
    let operands = [
      small.input(TensorType(.float32, [1, 5, 4, channels])),
      small.constant(weights, TensorType(.float32, [outputs, 3, 3, own])),
    ]
    let graph = small.ending(
      .convolution2D(Convolution2D(window: Self.window)), operands,
      TensorType(.float32, [1, 5, 4, outputs]))
    let expected = grouped(input, weights, channels: channels, outputs: outputs, own: own)
    for table in KernelTable.supported {
      let actual = floats(try run(graph, table, [bytes(input)]))
      for (a, b) in zip(actual, expected) { #expect(abs(a - b) < 1e-5, "\(table.name)") }
    }
  }

  @Test("weights that are computed give what constant ones give", arguments: [true, false])
  func computedWeights(isFloat: Bool) throws {
    var random = SplitMix64(seed: 7)
    let input = (0..<3 * 40).map { _ in UInt8.random(in: 0...255, using: &random) }
    let weights = (0..<18 * 40).map { _ in UInt8.random(in: 0...255, using: &random) }
    func elements(_ codes: [UInt8]) -> [UInt8] {
      isFloat ? bytes(codes.map { Float($0) / 64 - 2 }) : codes
    }
    let type: DataType = isFloat ? .float32 : .int8
    let scheme = isFloat ? nil : Quantization(scale: 0.02, zeroPoint: 3)
    let own = isFloat ? nil : Quantization(scale: 0.01, zeroPoint: 0)
    let result = isFloat ? nil : Quantization(scale: 0.2, zeroPoint: -4)
    func graph(_ isComputed: Bool) -> Graph {
      var small = SmallGraph()
      let x = small.input(TensorType(type, [3, 40], quantization: scheme))
      let weightType = TensorType(type, [18, 40], quantization: own)
      let w =
        isComputed ? small.input(weightType) : small.constant(elements(weights), weightType)
      return small.ending(
        .fullyConnected(FullyConnected()), [x, w],
        TensorType(type, [3, 18], quantization: result))
    }
    for table in KernelTable.supported {
      let constant = try run(graph(false), table, [elements(input)])
      let computed = try run(graph(true), table, [elements(input), elements(weights)])
      #expect(constant == computed, "\(table.name)")
      #expect(Set(constant).count > 8)
    }
  }

  @Test("rows of a table of codes are numbers when they are picked", arguments: [true, false])
  func lookups(hasRowScales: Bool) throws {
    let codes = (0..<12).map { Int8($0 * 5 - 30) }
    let scheme =
      hasRowScales
      ? Quantization(scales: [0.5, 0.25, 2], zeroPoints: [0, 0, 0])
      : Quantization(scale: 0.5, zeroPoint: 2)
    var small = SmallGraph()
    let table = small.constant(codes, TensorType(.int8, [3, 4], quantization: scheme))
    let rows = small.input(TensorType(.int32, [2]))
    let graph = small.ending(
      .gather(Gather(axis: 0)), [table, rows], TensorType(.float32, [2, 4]))
    let expected = [2, 0].flatMap { row in
      (0..<4).map { column -> Float in
        let place = hasRowScales ? row : 0
        return Float(Int32(codes[row * 4 + column]) - scheme.zeroPoints[place])
          * scheme.scales[place]
      }
    }
    for table in KernelTable.supported {
      #expect(floats(try run(graph, table, [bytes([2, 0] as [Int32])])) == expected)
    }
  }

  @Test("a product with a constant matrix is that of the same matrix computed")
  func constantMatrix() throws {
    var random = SplitMix64(seed: 9)
    let left = (0..<2 * 3 * 5).map { _ in Float.random(in: -1...1, using: &random) }
    let right = (0..<5 * 7).map { _ in Float.random(in: -1...1, using: &random) }
    for isTransposed in [false, true] {
      let type = TensorType(.float32, isTransposed ? [7, 5] : [5, 7])
      func graph(_ isConstant: Bool) -> Graph {
        var small = SmallGraph()
        let a = small.input(TensorType(.float32, [2, 3, 5]))
        let b = isConstant ? small.constant(right, type) : small.input(type)
        return small.ending(
          .batchMatmul(BatchMatmul(transposesLeft: false, transposesRight: isTransposed)), [a, b],
          TensorType(.float32, [2, 3, 7]))
      }
      for table in KernelTable.supported {
        let packed = floats(try run(graph(true), table, [bytes(left)]))
        let plain = floats(try run(graph(false), table, [bytes(left), bytes(right)]))
        for (a, b) in zip(packed, plain) { #expect(abs(a - b) < 1e-5, "\(table.name)") }
      }
    }
  }

  @Test("codes that no integer kernel takes are computed as the numbers they stand for")
  func computesInFloat() throws {
    var random = SplitMix64(seed: 11)
    let codes = (0..<4 * 9).map { _ in Int8.random(in: -128...127, using: &random) }
    var small = SmallGraph()
    let x = small.input(
      TensorType(.int8, [4, 9], quantization: Quantization(scale: 0.1, zeroPoint: 7)))
    let graph = small.ending(
      .l2Normalize, [x],
      TensorType(.int8, [4, 9], quantization: Quantization(scale: 1 / 128, zeroPoint: 0)))
    let expected = (0..<4).flatMap { row -> [Int8] in
      let values = codes[row * 9..<row * 9 + 9].map { Double($0) - 7 }
      let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return values.map { Int8(max(-128, min(127, ($0 / length * 128).rounded()))) }
    }
    for table in KernelTable.supported {
      let actual = try run(graph, table, [bytes(codes)]).map { Int8(bitPattern: $0) }
      for (a, b) in zip(actual, expected) { #expect(abs(Int(a) - Int(b)) <= 1, "\(table.name)") }
    }
  }

  @Test("a convolution in groups with weights of codes quantises each picture once")
  func dynamicRangeGroups() throws {
    var random = SplitMix64(seed: 13)
    let (channels, outputs, own) = (8, 6, 4)
    let input = (0..<2 * 20 * channels).map { _ in Float.random(in: -1...1, using: &random) }
    let codes = (0..<outputs * 9 * own).map { _ in Int8.random(in: -127...127, using: &random) }
    let scales = (0..<outputs).map { _ in Float.random(in: 0.01...0.02, using: &random) }
    // The same weights among zeros for the channels of the other groups.
    var spread = [Int8](repeating: 0, count: outputs * 9 * channels)
    for (place, code) in codes.enumerated() {
      let (filter, channel) = (place / own, place % own)
      let group = filter / 9 / (outputs / (channels / own))
      spread[filter * channels + group * own + channel] = code
    }
    func graph(_ weights: [Int8], _ own: Int) -> Graph {
      var small = SmallGraph()
      let x = small.input(TensorType(.float32, [2, 5, 4, channels]))
      let type = TensorType(
        .int8, [outputs, 3, 3, own],
        quantization: Quantization(
          scales: scales, zeroPoints: scales.map { _ in 0 }, axis: 0))
      let w = small.constant(weights, type)
      return small.ending(
        .convolution2D(Convolution2D(window: Self.window)), [x, w],
        TensorType(.float32, [2, 5, 4, outputs]))
    }
    for table in KernelTable.supported {
      let grouped = try run(graph(codes, own), table, [bytes(input)])
      #expect(try grouped == run(graph(spread, channels), table, [bytes(input)]), "\(table.name)")
    }
  }

  private static let wide = Quantization(scale: 0.0004, zeroPoint: 0)

  @Test("means of int16 codes round half away from zero")
  func wideMeans() throws {
    let codes = (0..<4 * 4 * 3).map { Int16(truncatingIfNeeded: $0 &* 7919 &+ 13) }
    var small = SmallGraph()
    let x = small.input(TensorType(.int16, [1, 4, 4, 3], quantization: Self.wide))
    let window = Window2D(strideHeight: 2, strideWidth: 2, padding: .valid)
    let graph = small.ending(
      .pool2D(Pool2D(kind: .average, height: 2, width: 2, window: window)), [x],
      TensorType(.int16, [1, 2, 2, 3], quantization: Self.wide))
    let expected = (0..<12).map { place -> Int16 in
      let (pixel, channel) = (place / 3, place % 3)
      let first = (pixel / 2 * 8 + pixel % 2 * 2) * 3 + channel
      let sum = [0, 3, 12, 15].reduce(0) { $0 + Int(codes[first + $1]) }
      return Int16((sum > 0 ? sum + 2 : sum - 2) / 4)
    }
    for table in KernelTable.supported {
      #expect(try run(graph, table, [bytes(codes)]) == bytes(expected), "\(table.name)")
    }
  }

  private func codes(_ type: TensorType, _ random: inout SplitMix64) -> [Int8] {
    (0..<type.shape.elementCount!).map { _ in Int8.random(in: -128...127, using: &random) }
  }

  @Test("products of int8 codes are the reference's codes", arguments: 0..<60)
  func codeProducts(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let rows = Int.random(in: 1...20, using: &random)
    let columns = [1, 7, 16, 31, 50].randomElement(using: &random)!
    let depth = Int.random(in: 1...40, using: &random)
    let (isLeft, isRight) = (Bool.random(using: &random), Bool.random(using: &random))
    // Two batch axes, along which an operand has matrices of its own or repeats one.
    let batch = [Int.random(in: 1...3, using: &random), Int.random(in: 1...3, using: &random)]
    let own = (0..<2).map { axis in
      (0..<2).map { _ in Bool.random(using: &random) ? batch[axis] : 1 }
    }
    func broadcasts(_ axis: Int) -> Bool { own[axis].max() == batch[axis] }
    let extents = (0..<2).map { broadcasts($0) ? batch[$0] : 1 }
    func scheme() -> Quantization {
      Quantization(
        scale: Float.random(in: 0.01...0.1, using: &random),
        zeroPoint: Int32.random(in: -128...127, using: &random))
    }
    var output = scheme()
    output.scales = [Float.random(in: 0.02...0.5, using: &random)]
    let (left, right) = (
      TensorType(
        .int8, Shape([own[0][0], own[1][0]] + (isLeft ? [depth, rows] : [rows, depth])),
        quantization: scheme()),
      TensorType(
        .int8, Shape([own[0][1], own[1][1]] + (isRight ? [columns, depth] : [depth, columns])),
        quantization: scheme())
    )
    var small = SmallGraph()
    let operands = [small.input(left), small.input(right)]
    let graph = small.ending(
      .batchMatmul(BatchMatmul(transposesLeft: isLeft, transposesRight: isRight)), operands,
      TensorType(.int8, Shape(extents + [rows, columns]), quantization: output))
    let (a, b) = (codes(left, &random), codes(right, &random))
    let scale = FixedPointScale(
      Double(left.quantization!.scale * right.quantization!.scale) / Double(output.scale))
    var expected: [Int8] = []
    for index in 0..<extents[0] * extents[1] {
      let (outer, inner) = (index / extents[1], index % extents[1])
      func matrix(_ side: Int) -> Int {
        (own[0][side] == 1 ? 0 : outer) * own[1][side] + (own[1][side] == 1 ? 0 : inner)
      }
      for place in 0..<rows * columns {
        let (row, column) = (place / columns, place % columns)
        let sum = (0..<depth).reduce(Int32(0)) { sum, k in
          let x = a[matrix(0) * rows * depth + (isLeft ? k * rows + row : row * depth + k)]
          let y = b[
            matrix(1) * depth * columns + (isRight ? column * depth + k : k * columns + column)]
          return sum + (Int32(x) - left.quantization!.zeroPoint)
            * (Int32(y) - right.quantization!.zeroPoint)
        }
        expected.append(Int8(min(max(scale.apply(sum) + output.zeroPoint, -128), 127)))
      }
    }
    for table in KernelTable.supported {
      #expect(try run(graph, table, [bytes(a), bytes(b)]) == bytes(expected), "\(table.name)")
    }
  }

  @Test("products of int16 codes are rounded from 64 bits")
  func wideProducts() throws {
    var random = SplitMix64(seed: 15)
    let left = (0..<2 * 3 * 40).map { _ in Int16.random(in: -32768...32767, using: &random) }
    let right = (0..<2 * 40 * 5).map { _ in Int16.random(in: -32768...32767, using: &random) }
    var small = SmallGraph()
    let a = small.input(TensorType(.int16, [2, 3, 40], quantization: Self.wide))
    let b = small.input(TensorType(.int16, [2, 40, 5], quantization: Self.wide))
    let output = Quantization(scale: 0.009, zeroPoint: 0)
    let graph = small.ending(
      .batchMatmul(BatchMatmul(transposesLeft: false, transposesRight: false)), [a, b],
      TensorType(.int16, [2, 3, 5], quantization: output))
    let scale = OutputScaleInt16(
      Double(0.0004 * 0.0004 as Float) / Double(0.009 as Float), isNarrow: true)
    let expected = (0..<30).map { place -> Int16 in
      let (row, column) = (place / 5, place % 5)
      let sum = (0..<40).reduce(Int64(0)) { sum, k in
        sum + Int64(left[row * 40 + k]) * Int64(right[(row / 3 * 40 + k) * 5 + column])
      }
      return Self.code(sum, scale)
    }
    #expect(Set(expected).count > 10)
    for table in KernelTable.supported {
      let actual = try run(graph, table, [bytes(left), bytes(right)])
      #expect(actual == bytes(expected), "\(table.name)")
    }
  }

  private static func code(_ sum: Int64, _ scale: OutputScaleInt16) -> Int16 {
    let shift = Int64(scale.shift)
    return Int16(clamping: (sum * Int64(scale.multiplier) + 1 << (shift - 1)) >> shift)
  }

  /// Sums of a transposed 2 × 2 convolution, stride 2, of a 3 × 3 picture of 5 channels to 4.
  private func transposed<T: FixedWidthInteger>(
    _ input: [T], zeroPoint: Int64, _ weights: [Int8], weightZeroPoint: Int64
  ) -> [Int64] {
    (0..<36 * 4).map { place in
      let (pixel, output) = (place / 4, place % 4)
      let (y, x) = (pixel / 6, pixel % 6)
      let tap = y % 2 * 2 + x % 2
      return (0..<5).reduce(Int64(0)) { sum, channel in
        let code = Int64(input[(y / 2 * 3 + x / 2) * 5 + channel]) - zeroPoint
        return sum + code * (Int64(weights[(output * 4 + tap) * 5 + channel]) - weightZeroPoint)
      }
    }
  }

  private static func transposition(
    _ type: DataType, _ input: Quantization, _ weights: [Int8], _ own: Quantization,
    _ output: Quantization
  ) -> Graph {
    var small = SmallGraph()
    let x = small.input(TensorType(type, [1, 3, 3, 5], quantization: input))
    let shape = small.constant([1, 6, 6, 4] as [Int32], TensorType(.int32, [4]))
    let w = small.constant(weights, TensorType(.int8, [4, 2, 2, 5], quantization: own))
    let window = Window2D(strideHeight: 2, strideWidth: 2, padding: .valid)
    return small.ending(
      .transposeConvolution2D(TransposeConvolution2D(window: window)), [shape, w, x],
      TensorType(type, [1, 6, 6, 4], quantization: output))
  }

  @Test("transposed convolutions of codes round as the reference")
  func transposedConvolutions() throws {
    var random = SplitMix64(seed: 17)
    let weights = (0..<4 * 4 * 5).map { _ in Int8.random(in: -127...127, using: &random) }
    let own = Quantization(scale: 0.01, zeroPoint: 4)
    let narrow = (0..<45).map { _ in Int8.random(in: -128...127, using: &random) }
    let output = Quantization(scale: 0.1, zeroPoint: -3)
    let scale = FixedPointScale(
      Double(0.02 as Float) * Double(0.01 as Float) / Double(0.1 as Float))
    let narrowCodes = transposed(narrow, zeroPoint: 9, weights, weightZeroPoint: 4)
      .map { Int8(clamping: scale.apply(Int32($0)) - 3) }
    let wide = (0..<45).map { _ in Int16.random(in: -32768...32767, using: &random) }
    let plain = Quantization(scale: 0.01, zeroPoint: 0)
    let wideScale = OutputScaleInt16(
      Double(0.0004 as Float) * Double(0.01 as Float) / Double(0.0005 as Float), isNarrow: true)
    let wideCodes = transposed(wide, zeroPoint: 0, weights, weightZeroPoint: 0)
      .map { Self.code($0, wideScale) }
    for table in KernelTable.supported {
      let first = Self.transposition(
        .int8, Quantization(scale: 0.02, zeroPoint: 9), weights, own, output)
      #expect(try run(first, table, [bytes(narrow)]) == bytes(narrowCodes), "\(table.name)")
      let second = Self.transposition(
        .int16, Self.wide, weights, plain, Quantization(scale: 0.0005, zeroPoint: 0))
      #expect(try run(second, table, [bytes(wide)]) == bytes(wideCodes), "\(table.name)")
    }
  }
}
