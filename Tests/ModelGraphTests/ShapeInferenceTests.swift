import ModelGraph
import Tensors
import Testing

@Suite("Shape inference")
struct ShapeInferenceTests {
  /// The shape of what `operation` makes of operands of these shapes, and integer constants behind
  /// them.
  private func shape(
    _ operation: Operator, _ operands: [Shape], _ integers: [Int32]? = nil
  ) throws(GraphError) -> Shape {
    var builder = GraphBuilder()
    var inputs = operands.map { builder.input($0) }
    if let integers { inputs.append(builder.integers(integers)) }
    let output = builder.node(operation, inputs)
    return try builder.finish(output)[output].type.shape
  }

  private func error(
    _ operation: Operator, _ operands: [Shape], _ integers: [Int32]? = nil
  ) -> GraphError? {
    do throws(GraphError) {
      _ = try shape(operation, operands, integers)
      return nil
    } catch {
      return error
    }
  }

  private func convolution(_ window: Window2D) -> Operator {
    .convolution2D(Convolution2D(window: window))
  }

  @Test("convolutions: padding, stride, dilation, groups")
  func convolutions() throws {
    let same = Window2D(strideHeight: 2, strideWidth: 3, padding: .same)
    let valid = Window2D(strideHeight: 2, strideWidth: 3)
    let dilated = Window2D(dilationHeight: 2, dilationWidth: 3)
    let explicit = Window2D(padding: .explicit(top: 1, bottom: 0, left: 2, right: 3))
    let input: Shape = [2, 11, 13, 6]
    #expect(try shape(convolution(same), [input, [5, 3, 3, 6]]) == [2, 6, 5, 5])
    #expect(try shape(convolution(valid), [input, [5, 3, 3, 6]]) == [2, 5, 4, 5])
    #expect(try shape(convolution(dilated), [input, [5, 3, 3, 6]]) == [2, 7, 7, 5])
    #expect(try shape(convolution(explicit), [input, [5, 3, 3, 6]]) == [2, 10, 16, 5])
    #expect(try shape(convolution(valid), [input, [6, 1, 1, 2]]) == [2, 6, 5, 6])

    let depthwise = Operator.depthwiseConvolution2D(DepthwiseConvolution2D(window: same))
    #expect(try shape(depthwise, [input, [1, 3, 3, 12]]) == [2, 6, 5, 12])
    #expect(
      error(depthwise, [input, [2, 3, 3, 12]])
        == .operandExtent(node: 0, operand: 1, axis: 0, expected: 1, actual: 2))
    #expect(
      error(convolution(valid), [input, [5, 3, 3, 4]])
        == .operandExtent(node: 0, operand: 1, axis: 3, expected: 6, actual: 4))
    #expect(error(convolution(valid), [[1, 2, 2, 1], [1, 3, 3, 1]]) == .windowInvalid(node: 0))
    #expect(
      error(convolution(Window2D(strideHeight: 0)), [input, [5, 3, 3, 6]])
        == .windowInvalid(node: 0))
    #expect(
      error(convolution(valid), [[2, 11, 13], [5, 3, 3, 6]])
        == .operandRank(node: 0, operand: 0, expected: 4...4, actual: 3))
  }

  @Test("same padding puts the odd element last", arguments: [
    (5, 3, 1, 5, 1, 1), (6, 3, 2, 3, 0, 1), (5, 2, 1, 5, 0, 1), (224, 7, 2, 112, 2, 3),
    (1, 5, 1, 1, 2, 2), (7, 1, 3, 3, 0, 0),
  ])
  func samePadding(input: Int, kernel: Int, stride: Int, count: Int, before: Int, after: Int)
    throws
  {
    let window = Window2D(strideHeight: stride, strideWidth: stride, padding: .same)
    let geometry = try #require(
      window.geometry(height: input, width: input, kernelHeight: kernel, kernelWidth: kernel))
    #expect(
      geometry
        == WindowGeometry(
          outputHeight: count, outputWidth: count, top: before, bottom: after, left: before,
          right: after))
  }

  @Test("matrix products flatten or keep the leading extents")
  func fullyConnected() throws {
    let flat = Operator.fullyConnected(FullyConnected())
    let kept = Operator.fullyConnected(FullyConnected(keepsDimensions: true))
    #expect(try shape(flat, [[2, 3, 8], [5, 8]]) == [6, 5])
    #expect(try shape(flat, [[2, 4, 4], [5, 8]]) == [4, 5])
    #expect(try shape(kept, [[2, 3, 8], [5, 8]]) == [2, 3, 5])
    #expect(
      error(kept, [[2, 4, 4], [5, 8]])
        == .operandExtent(node: 0, operand: 0, axis: 2, expected: 8, actual: 4))
    #expect(
      error(flat, [[3], [5, 8]])
        == .operandExtent(node: 0, operand: 0, axis: 0, expected: 8, actual: 3))
  }

  @Test("binary operators broadcast", arguments: [
    ([2, 3], [2, 3], [2, 3]), ([2, 1, 4], [3, 1], [2, 3, 4]), ([], [5], [5]),
    ([7, 1], [1, 0], [7, 0]),
  ] as [([Int], [Int], [Int])])
  func binary(left: [Int], right: [Int], result: [Int]) throws {
    let add = Operator.binary(Binary(kind: .add))
    #expect(try shape(add, [Shape(left), Shape(right)]) == Shape(result))
    #expect(try shape(add, [Shape(right), Shape(left)]) == Shape(result))
  }

  @Test("shapes that do not broadcast are refused")
  func noBroadcast() {
    #expect(
      error(.binary(Binary(kind: .multiply)), [[2, 3], [2]])
        == .notBroadcastable(node: 0, left: [2, 3], right: [2]))
  }

  @Test("reshapes take one free extent, from parameter or operand")
  func reshape() throws {
    let given = { Operator.reshape(Reshape(target: $0)) }
    #expect(try shape(given([3, -1]), [[2, 6]]) == [3, 4])
    #expect(try shape(given([]), [[1, 1]]) == [])
    #expect(try shape(given([0, -1]), [[2, 0]]) == [0, 0])
    #expect(try shape(given(nil), [[2, 6]], [4, 3]) == [4, 3])
    for target in [[5, -1], [-1, -1], [13], [-2, 6], [1 << 40, 1 << 40]] {
      #expect(
        error(given(target), [[2, 6]])
          == .reshapeCount(node: 0, elements: 12, target: Shape(target)))
    }
    #expect(error(given(nil), [[2, 6]]) == .operandMissing(node: 0, operand: 1))
    #expect(error(given(nil), [[2, 6], [2]]) == .operandNotConstant(node: 0, operand: 1))
  }

  @Test("axes of extent 1 come and go")
  func axes() throws {
    #expect(try shape(.squeeze(Squeeze(axes: [])), [[1, 3, 1, 2]]) == [3, 2])
    #expect(try shape(.squeeze(Squeeze(axes: [-2, 2])), [[1, 3, 1, 2]]) == [1, 3, 2])
    #expect(
      error(.squeeze(Squeeze(axes: [1])), [[1, 3]])
        == .axisNotSqueezable(node: 0, axis: 1, extent: 3))
    #expect(
      error(.squeeze(Squeeze(axes: [2])), [[1, 3]]) == .axisOutOfRange(node: 0, axis: 2, rank: 2))
    #expect(try shape(.expandDimensions(ExpandDimensions(axis: -1)), [[2]]) == [2, 1])
    #expect(try shape(.expandDimensions(ExpandDimensions(axis: nil)), [[2]], [0]) == [1, 2])
    #expect(
      error(.expandDimensions(ExpandDimensions(axis: .min)), [[2]])
        == .axisOutOfRange(node: 0, axis: .min, rank: 2))
  }

  @Test("pads add to each axis")
  func pad() throws {
    let pad = Operator.pad(Pad(amounts: nil))
    #expect(try shape(pad, [[2, 3]], [0, 1, 2, 3]) == [3, 8])
    #expect(error(pad, [[2, 3]], [0, 1]) == .parameterInvalid(node: 0))
    #expect(error(pad, [[2, 3]], [0, -1, 0, 0]) == .parameterInvalid(node: 0))
    #expect(
      error(pad, [[2, 3]], [.max, .max, 0, 0])
        == .shapeTooLarge(node: 0, shape: [2 + 2 * Int(Int32.max), 3]))
  }

  @Test("means fold axes, and concatenations join one")
  func foldAndJoin() throws {
    func mean(_ keeps: Bool) -> Operator {
      .reduce(Reduce(kind: .mean, axes: nil, keepsDimensions: keeps))
    }
    #expect(try shape(mean(false), [[2, 3, 4]], [1, -1]) == [2])
    #expect(try shape(mean(true), [[2, 3, 4]], [1, 1]) == [2, 1, 4])
    #expect(error(mean(true), [[2]], [3]) == .axisOutOfRange(node: 0, axis: 3, rank: 1))

    let join = Operator.concatenate(Concatenate(axis: -1))
    #expect(try shape(join, [[2, 3], [2, 4], [2, 0]]) == [2, 7])
    #expect(
      error(join, [[2, 3], [3, 3]])
        == .operandExtent(node: 0, operand: 1, axis: 0, expected: 2, actual: 3))
  }

  @Test("pooling and elementwise operators")
  func others() throws {
    let pool = Pool2D(
      kind: .maximum, height: 2, width: 3, window: Window2D(strideHeight: 2, strideWidth: 3))
    #expect(try shape(.pool2D(pool), [[1, 8, 9, 4]]) == [1, 4, 3, 4])
    #expect(try shape(.softmax(Softmax(beta: 1)), [[3, 4]]) == [3, 4])
    #expect(try shape(.unary(Unary(kind: .relu6)), [[3, 4]]) == [3, 4])
  }

  @Test("a resize derives every shape anew, and refuses what does not follow")
  func resize() throws {
    var builder = GraphBuilder()
    let input = builder.input([1, 8, 8, 2])
    let pooled = builder.node(
      .pool2D(
        Pool2D(
          kind: .average, height: 2, width: 2, window: Window2D(strideHeight: 2, strideWidth: 2))),
      [input])
    let output = builder.node(.reshape(Reshape(target: [-1, 32])), [pooled])
    let graph = try builder.finish(output)
    #expect(graph[output].type.shape == [1, 32])
    #expect(try graph.resized(inputs: [[3, 8, 8, 2]])[output].type.shape == [3, 32])
    #expect(throws: GraphError.inputCount(expected: 1, actual: 0)) { try graph.resized(inputs: []) }
    #expect(throws: GraphError.self) { try graph.resized(inputs: [[3, 9, 3, 7]]) }
    #expect(throws: GraphError.inputShape(index: 0, expected: [1, 8, 8, 2], actual: [-1, 8])) {
      try graph.resized(inputs: [[-1, 8]])
    }
  }
}
