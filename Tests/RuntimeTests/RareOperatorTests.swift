import ByteParsing
import KernelDispatch
import KernelInterface
import ModelGraph
import Runtime
import Tensors
import TestSupport
import Testing

@Suite("Rare operators")
struct RareOperatorTests {
  /// A graph of one node: operands that are given at run time, float32, and constants.
  private func graph(
    _ operation: ModelGraph.Operator, _ operands: [(TensorType, ByteView?)], _ results: [DataType]
  ) -> Graph {
    var values = operands.map { Value(name: "operand", type: $0.0, constant: $0.1) }
    let outputs = results.indices.map { ValueID(values.count + $0) }
    values += results.map { Value(name: "result", type: TensorType($0, [])) }
    return Graph(
      values: values,
      nodes: [
        Node(operation, inputs: operands.indices.map { ValueID($0) }, outputs: outputs)
      ], inputs: operands.indices.filter { operands[$0].1 == nil }.map { ValueID($0) },
      outputs: outputs)
  }

  private func run(
    _ graph: Graph, _ inputs: [[Float]], _ table: KernelTable
  ) throws -> [[Float]] {
    var inferred = graph
    try inferred.inferShapes()
    return try RunningGraph(inferred, table).run(inputs)
  }

  private func integers(_ bits: [Float]) -> [Int] {
    bits.map { Int(Int32(bitPattern: $0.bitPattern)) }
  }

  private func input(_ shape: Shape) -> (TensorType, ByteView?) {
    (TensorType(.float32, shape), nil)
  }

  private func constant(_ shape: Shape, _ numbers: [Int32]) -> (TensorType, ByteView?) {
    (TensorType(.int32, shape), ByteView(numbers))
  }

  private func constant(_ shape: Shape, _ numbers: [Float]) -> (TensorType, ByteView?) {
    (TensorType(.float32, shape), ByteView(numbers))
  }

  /// The extents of a convolution in three dimensions.
  struct Volume: Sendable {
    var input = [3, 5, 4]
    var channels = 3
    var kernel = [2, 3, 2]
    var outputs = 5
    var stride = [1, 1, 1]
    var dilation = [1, 1, 1]
    var padding = Padding2D.valid
  }

  @Test(
    "a convolution in three dimensions follows its formula",
    arguments: [
      Volume(), Volume(channels: 1, outputs: 17, stride: [2, 1, 2], padding: .same),
      Volume(input: [5, 7, 6], outputs: 24, dilation: [2, 2, 1], padding: .same),
      Volume(input: [1, 1, 1], kernel: [1, 1, 1], outputs: 8),
    ], KernelTable.supported)
  func convolution3D(volume: Volume, table: KernelTable) throws {
    var random = SplitMix64(seed: 5)
    let window = Window2D(
      strideHeight: volume.stride[1], strideWidth: volume.stride[2],
      dilationHeight: volume.dilation[1], dilationWidth: volume.dilation[2],
      padding: volume.padding)
    let parameters = Convolution3D(
      window: window, strideDepth: volume.stride[0], dilationDepth: volume.dilation[0],
      activation: .relu)
    let data = (0..<2 * volume.input.reduce(volume.channels, *)).map { _ in
      Float.random(in: -1...1, using: &random)
    }
    let weights = (0..<volume.kernel.reduce(volume.channels * volume.outputs, *)).map { _ in
      Float.random(in: -1...1, using: &random)
    }
    let bias = (0..<volume.outputs).map { _ in Float.random(in: -1...1, using: &random) }
    let actual = try run(
      graph(
        .convolution3D(parameters),
        [
          input(Shape([2] + volume.input + [volume.channels])),
          constant(Shape(volume.kernel + [volume.channels, volume.outputs]), weights),
          constant([volume.outputs], bias),
        ], [.float32]), [data], table)[0]
    let wanted = expected(volume, data, weights, bias)
    #expect(actual.count == wanted.count)
    #expect(zip(actual, wanted).allSatisfy { abs(Double($0) - $1) < 1e-5 })
  }

  private func expected(
    _ volume: Volume, _ data: [Float], _ weights: [Float], _ bias: [Float]
  ) -> [Double] {
    var (counts, before) = ([Int](), [Int]())
    for axis in 0..<3 {
      let reach = (volume.kernel[axis] - 1) * volume.dilation[axis] + 1
      let (extent, stride) = (volume.input[axis], volume.stride[axis])
      if volume.padding == .same {
        counts.append((extent + stride - 1) / stride)
        before.append(max(0, (counts[axis] - 1) * stride + reach - extent) / 2)
      } else {
        counts.append((extent - reach) / stride + 1)
        before.append(0)
      }
    }
    var result: [Double] = []
    for pixel in 0..<2 * counts.reduce(1, *) {
      let (x, y) = (pixel % counts[2], pixel / counts[2] % counts[1])
      let (z, n) = (pixel / (counts[2] * counts[1]) % counts[0], pixel / counts.reduce(1, *))
      for output in 0..<volume.outputs {
        var sum = Double(bias[output])
        for tap in 0..<volume.kernel.reduce(1, *) {
          let k = [
            tap / (volume.kernel[1] * volume.kernel[2]),
            tap / volume.kernel[2] % volume.kernel[1], tap % volume.kernel[2],
          ]
          let place = zip([z, y, x], 0..<3).map { at, axis in
            at * volume.stride[axis] - before[axis] + k[axis] * volume.dilation[axis]
          }
          guard zip(place, volume.input).allSatisfy({ (0..<$1).contains($0) }) else { continue }
          let pixel = ((n * volume.input[0] + place[0]) * volume.input[1] + place[1])
            * volume.input[2] + place[2]
          for channel in 0..<volume.channels {
            sum += Double(data[pixel * volume.channels + channel])
              * Double(weights[(tap * volume.channels + channel) * volume.outputs + output])
          }
        }
        result.append(max(sum, 0))
      }
    }
    return result
  }

  @Test("slices of one number are folded", arguments: KernelTable.supported)
  func segments(table: KernelTable) throws {
    let data: [Float] = [1, 2, 3, 4, 5, 6, -7, 8]
    let numbers = constant([4], [2, 0, 2, -1] as [Int32])
    let wanted: [Segment.Kind: [Float]] = [
      .sum: [3, 4, 0, 0, 6, 8], .product: [3, 4, 1, 1, 5, 12],
    ]
    for (kind, wanted) in wanted {
      let actual = try run(
        graph(
          .segment(Segment(kind: kind)), [input([4, 2]), numbers, constant([], [3] as [Int32])],
          [.float32]), [data], table)[0]
      #expect(actual == wanted)
    }
    for kind in [Segment.Kind.maximum, .minimum] {
      let actual = try run(
        graph(
          .segment(Segment(kind: kind)), [input([4, 2]), numbers, constant([], [3] as [Int32])],
          [.float32]), [data], table)[0]
      #expect(Array(actual[4...]) == (kind == .maximum ? [5, 6] : [1, 2]))
      #expect(abs(actual[2]) == Float.greatestFiniteMagnitude)
    }
    // Numbers that rise say themselves how many there are.
    let rising = try run(
      graph(
        .segment(Segment(kind: .sum)), [input([4, 2]), constant([4], [0, 0, 1, 3] as [Int32])],
        [.float32]), [data], table)[0]
    #expect(rising == [4, 6, 5, 6, 0, 0, -7, 8])
  }

  @Test("diagonals are put into zeros or into matrices", arguments: KernelTable.supported)
  func diagonals(table: KernelTable) throws {
    let made = try run(graph(.diagonal, [input([2, 2])], [.float32]), [[1, 2, 3, 4]], table)[0]
    #expect(made == [1, 0, 0, 2, 3, 0, 0, 4])
    let set = try run(
      graph(.diagonal, [input([1, 2, 3]), input([1, 2])], [.float32]),
      [[1, 2, 3, 4, 5, 6], [8, 9]], table)[0]
    #expect(set == [8, 2, 3, 4, 9, 6])
  }

  @Test("elements fall into the bucket whose lower bound they reach", arguments: KernelTable.supported)
  func buckets(table: KernelTable) throws {
    let actual = try run(
      graph(.bucketize(Bucketize(bounds: [-1, 0, 0, 5])), [input([6])], [.int32]),
      [[-2, -1, -0.5, 0, 4.9, 5]], table)[0]
    #expect(integers(actual) == [0, 1, 1, 3, 3, 4])
    let none = try run(
      graph(.bucketize(Bucketize(bounds: [])), [input([1])], [.int32]), [[1]], table)[0]
    #expect(integers(none) == [0])
  }

  @Test("boxes are selected by score, and overlapping ones drop out or decay", arguments: KernelTable.supported)
  func boxes(table: KernelTable) throws {
    // The second has its corners the other way round and shares half of the first.
    let corners: [Float] = [0, 0, 2, 2, 2, 3, 0, 1, 5, 5, 6, 6, 0, 0, 2, 2]
    let scores: [Float] = [0.9, 0.8, 0.3, 0.1]
    func select(_ overlap: Float, _ decay: Float?) throws -> [[Float]] {
      var operands = [
        input([4, 4]), input([4]), constant([], [3] as [Int32]), constant([], [overlap]),
        constant([], [0.2] as [Float]),
      ]
      if let decay { operands.append(constant([], [decay])) }
      return try run(
        graph(
          .selectBoxes(SelectBoxes(isScored: decay != nil)), operands,
          decay == nil ? [.int32, .int32] : [.int32, .float32, .int32]), [corners, scores], table)
    }
    let hard = try select(0.3, nil)
    #expect(integers(hard[0]) == [0, 2, 0])
    #expect(integers(hard[1]) == [2])
    let lenient = try select(0.5, nil)
    #expect(integers(lenient[0]) == [0, 1, 2])
    #expect(integers(lenient[1]) == [3])
    // exp(−½ · (1/3)² / ½) of 0.8 is 0.716.
    let soft = try select(1, 0.5)
    #expect(integers(soft[0]) == [0, 1, 2])
    #expect(abs(soft[1][1] - 0.7159) < 1e-4)
    #expect(soft[1][2] == 0.3)
  }

  @Test("a slice begins where the model computes", arguments: KernelTable.supported)
  func cuts(table: KernelTable) throws {
    // Indices come as reals here, and are cast.
    func slice(_ move: Move, _ rest: [(TensorType, ByteView?)], _ indices: Int) -> Graph {
      var graph = self.graph(.move(move), [input([3, 4]), input([indices])] + rest, [.float32])
      graph.values.append(Value(name: "", type: TensorType(.int32, [indices])))
      let begins = ValueID(graph.values.count - 1)
      graph.nodes[0].inputs[1] = begins
      graph.nodes.insert(Node(.cast, inputs: [ValueID(1)], outputs: [begins]), at: 0)
      return graph
    }
    let data = (0..<12).map { Float($0) }
    let block = slice(.slice, [constant([2], [2, 2] as [Int32])], 2)
    #expect(try run(block, [data, [1, 1]], table)[0] == [5, 6, 9, 10])
    // What would reach out is moved inside.
    #expect(try run(block, [data, [9, -3]], table)[0] == [4, 5, 8, 9])
    let ones = constant([1], [1] as [Int32])
    let row = slice(
      .stridedSlice(StridedSlice(shrinkAxisMask: 1)),
      [constant([1], [0] as [Int32]), ones], 1)
    #expect(try run(row, [data, [2]], table)[0] == [8, 9, 10, 11])
    #expect(try run(row, [data, [-1]], table)[0] == [8, 9, 10, 11])
    let open = slice(
      .stridedSlice(StridedSlice()), [constant([1], [3] as [Int32]), ones], 1)
    #expect(throws: GraphError.operandNotConstant(node: 1, operand: 1)) {
      try run(open, [data, [1]], table)
    }
  }

  @Test("root mean squares, complex parts and neighbours follow their formulas", arguments: KernelTable.supported)
  func formulas(table: KernelTable) throws {
    let pool = Pool2D(
      kind: .rootMeanSquare, height: 2, width: 2,
      window: Window2D(strideHeight: 2, strideWidth: 2, padding: .same), activation: .relu6)
    let pooled = try run(
      graph(.pool2D(pool), [input([1, 2, 3, 1])], [.float32]), [[1, 2, 30, 3, 4, 40]], table)[0]
    #expect(abs(pooled[0] - Float(7.5).squareRoot()) < 1e-5)
    #expect(pooled[1] == 6)
    let normalization = NeighbourNormalization(radius: 1, bias: 1, alpha: 1, beta: 0.5)
    let normal = try run(
      graph(.normalizeByNeighbours(normalization), [input([1, 3])], [.float32]), [[2, 0, 1]],
      table)[0]
    let wanted: [Float] = [2 / Float(5).squareRoot(), 0, 1 / Float(2).squareRoot()]
    #expect(zip(normal, wanted).allSatisfy { abs($0 - $1) < 1e-6 })
    for (part, wanted) in [
      (ComplexPart.real, [3, 0] as [Float]), (.imaginary, [4, -2]), (.magnitude, [5, 2]),
    ] {
      var graph = self.graph(.complexPart(part), [input([2])], [.float32])
      graph.values[0].type.dataType = .complex64
      #expect(try run(graph, [[3, 4, 0, -2]], table)[0] == wanted)
    }
  }

  @Test("blocks of weights with a scale each follow the formula", arguments: KernelTable.supported)
  func blockProduct(table: KernelTable) throws {
    var random = SplitMix64(seed: 12)
    let (rows, depth, columns, size) = (3, 96, 21, 32)
    let blocks = depth / size
    let codes = (0..<columns * depth).map { _ in Int8.random(in: -8...7, using: &random) }
    let scales = (0..<columns * blocks).map { _ in Float.random(in: 0.01...0.1, using: &random) }
    let bias = (0..<columns).map { _ in Float.random(in: -1...1, using: &random) }
    // Numbers that the run-time codes of a row have exactly: 0 to 255 steps of 1/16 from −8.
    var data = (0..<rows * depth).map { _ in Float(Int.random(in: -128...127, using: &random)) / 16 }
    for row in 0..<rows { (data[row * depth], data[row * depth + 1]) = (-8, 7.9375) }
    let scheme = Quantization(
      scales: scales, zeroPoints: Array(repeating: 0, count: scales.count), blockSize: size)
    let actual = try run(
      graph(
        .fullyConnected(FullyConnected(activation: .relu)),
        [
          input([rows, depth]),
          (TensorType(.int8, [columns, depth], quantization: scheme), ByteView(codes)),
          constant([columns], bias),
        ], [.float32]), [data], table)[0]
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = Double(bias[column])
        for index in 0..<depth {
          let weight = Double(codes[column * depth + index])
            * Double(scales[column * blocks + index / size])
          sum += Double(data[row * depth + index]) * weight
        }
        let difference = Double(actual[row * columns + column]) - max(sum, 0)
        #expect(abs(difference) < 1e-4, "\(table.name) \(row) \(column)")
      }
    }
  }

  @Test("a list in a variable is written in its place")
  func listInPlace() throws {
    let list = TensorType(.float32, [3, 2])
    var graph = Graph(
      values: [
        Value(name: "list", type: list), Value(name: "element", type: TensorType(.float32, [1, 2])),
        Value(name: "index", type: TensorType(.float32, [2])),
        Value(name: "start", type: TensorType(.int32, [2])), Value(name: "new", type: list),
      ],
      nodes: [
        Node(.cast, inputs: [ValueID(2)], outputs: [ValueID(3)]),
        Node(
          .dynamicUpdateSlice, inputs: [ValueID(0), ValueID(1), ValueID(3)],
          outputs: [ValueID(4)]),
      ], inputs: [ValueID(1), ValueID(2)], outputs: [ValueID(4)])
    graph.variables = [Variable(current: ValueID(0), next: ValueID(4))]
    let running = try RunningGraph(graph)
    #expect(running.run([[1, 2], [1, 0]]) == [[0, 0, 1, 2, 0, 0]])
    #expect(running.run([[3, 4], [2, 0]]) == [[0, 0, 1, 2, 3, 4]])
    // One list, and nothing beside it but the inputs and the index.
    #expect(running.instance.model.memory.arenaBytes <= 64 * 4)
  }
}
