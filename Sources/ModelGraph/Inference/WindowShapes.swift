import Tensors

/// Shapes of the operators that move a window, and of the matrix product.
extension NodeView {
  func convolution2D(_ parameters: Convolution2D) throws(GraphError) -> Shape {
    let input = try shape(0, ranks: 4...4)
    let weights = try shape(1, ranks: 4...4)
    // Grouped when the weights see a part of the channels.
    guard
      weights[3] > 0, input[3] % weights[3] == 0, input[3] > 0,
      weights[0] % (input[3] / weights[3]) == 0
    else {
      throw .operandExtent(node: index, operand: 1, axis: 3, expected: input[3], actual: weights[3])
    }
    try expectBias(channels: weights[0])
    return try slide(parameters.window, over: input, weights[1], weights[2], channels: weights[0])
  }

  func depthwise(_ parameters: DepthwiseConvolution2D) throws(GraphError) -> Shape {
    let input = try shape(0, ranks: 4...4)
    let weights = try shape(1, ranks: 4...4)
    try expect(1, at: 0, of: 1, in: weights)
    guard input[3] > 0, weights[3] % input[3] == 0 else {
      throw .operandExtent(node: index, operand: 1, axis: 3, expected: input[3], actual: weights[3])
    }
    try expectBias(channels: weights[3])
    return try slide(parameters.window, over: input, weights[1], weights[2], channels: weights[3])
  }

  func pool2D(_ parameters: Pool2D) throws(GraphError) -> Shape {
    let input = try shape(0, ranks: 4...4)
    return try slide(
      parameters.window, over: input, parameters.height, parameters.width, channels: input[3])
  }

  func fullyConnected(_ parameters: FullyConnected) throws(GraphError) -> Shape {
    let input = try shape(0, ranks: 1...Shape.rankMaximum)
    let weights = try shape(1, ranks: 2...2)
    try expectBias(channels: weights[0])
    let depth = weights[1]
    guard depth > 0, let count = input.elementCount, count % depth == 0 else {
      throw .operandExtent(
        node: index, operand: 0, axis: input.rank - 1, expected: depth,
        actual: input[input.rank - 1])
    }
    guard parameters.keepsDimensions else { return try result([count / depth, weights[0]]) }
    try expect(depth, at: input.rank - 1, of: 0, in: input)
    return try result(input.extents.dropLast() + [weights[0]])
  }

  private func expectBias(channels: Int) throws(GraphError) {
    guard let bias = optionalValue(2) else { return }
    guard bias.type.shape.elementCount == channels else {
      throw .operandExtent(
        node: index, operand: 2, axis: 0, expected: channels,
        actual: bias.type.shape.elementCount ?? .max)
    }
  }

  private func slide(
    _ window: Window2D, over input: Shape, _ kernelHeight: Int, _ kernelWidth: Int, channels: Int
  ) throws(GraphError) -> Shape {
    guard
      let geometry = window.geometry(
        height: input[1], width: input[2], kernelHeight: kernelHeight, kernelWidth: kernelWidth)
    else { throw .windowInvalid(node: index) }
    return try result([input[0], geometry.outputHeight, geometry.outputWidth, channels])
  }
}
