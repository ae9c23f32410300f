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
}
