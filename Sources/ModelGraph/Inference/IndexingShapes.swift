import Tensors

/// Shapes of the operators that pick or make elements by index.
extension NodeView {
  func gather(_ parameters: Gather) throws(GraphError) -> Shape {
    let data = try shape(0, ranks: 1...Shape.rankMaximum)
    let indices = try type(1).shape
    let axis = try normalize(parameters.axis, rank: data.rank)
    let batch = parameters.batchDimensions + (parameters.batchDimensions < 0 ? indices.rank : 0)
    guard batch >= 0, batch <= axis, batch <= indices.rank else {
      throw .parameterInvalid(node: index)
    }
    for place in 0..<batch { try expect(data[place], at: place, of: 1, in: indices) }
    // Without elements there is nothing to name.
    guard data[axis] > 0 || indices.elementCount == 0 else {
      throw .operandExtent(node: index, operand: 0, axis: axis, expected: 1, actual: 0)
    }
    var extents = Array(data.extents[..<axis])
    extents += indices.extents[batch...]
    extents += data.extents[(axis + 1)...]
    return try result(extents)
  }

  func gatherND() throws(GraphError) -> Shape {
    let data = try type(0).shape
    let indices = try shape(1, ranks: 1...Shape.rankMaximum)
    let depth = indices[indices.rank - 1]
    guard depth <= data.rank,
      data.elementCount ?? 0 > 0 || indices.elementCount == 0
    else { throw .parameterInvalid(node: index) }
    return try result(indices.extents.dropLast() + data.extents[depth...])
  }

  /// The common shape of condition and both choices.
  func selected() throws(GraphError) -> Shape {
    let condition = try type(0).shape
    let (left, right) = (try type(1).shape, try type(2).shape)
    // The older form takes one truth for each row.
    if condition.rank == 1, left == right, left.rank > 1, condition[0] == left[0],
      left[left.rank - 1] != condition[0]
    {
      return left
    }
    return try common(try common(condition, left), right)
  }

  func common(_ left: Shape, _ right: Shape) throws(GraphError) -> Shape {
    let rank = max(left.rank, right.rank)
    var extents: [Int] = []
    for axis in 0..<rank {
      let (a, b) = (axis - (rank - left.rank), axis - (rank - right.rank))
      let x = a < 0 ? 1 : left[a]
      let y = b < 0 ? 1 : right[b]
      guard x == y || x == 1 || y == 1 else {
        throw .notBroadcastable(node: index, left: left, right: right)
      }
      extents.append(x == 1 ? y : x)
    }
    return try result(extents)
  }

  func argumentOfExtreme() throws(GraphError) -> Shape {
    let input = try shape(0, ranks: 1...Shape.rankMaximum)
    let axis = try axisOperand(1, rank: input.rank)
    guard input[axis] > 0 else {
      throw .operandExtent(node: index, operand: 0, axis: axis, expected: 1, actual: 0)
    }
    var extents = input.extents
    extents.remove(at: axis)
    return try result(extents)
  }

  func mirrorPad(includesEdge: Bool) throws(GraphError) -> Shape {
    let input = try type(0).shape
    for (extent, amount) in zip(input.extents, try amounts(Pad(amounts: nil))) {
      let most = includesEdge ? extent : extent - 1
      guard amount.before <= most, amount.after <= most else {
        throw .parameterInvalid(node: index)
      }
    }
    return try pad(Pad(amounts: nil))
  }

  func generated(_ generator: Generator) throws(GraphError) -> Shape {
    switch generator {
    case .shape: return [try type(0).shape.rank]
    case .rank: return []
    case .fill: return try result(try integers(0))
    case .range: return try result([try rangeCount()])
    case .zerosLike: return try type(0).shape
    case .broadcastShape:
      let (left, right) = (try shape(0, ranks: 1...1), try shape(1, ranks: 1...1))
      return [max(left[0], right[0])]
    }
  }

  func oneHot(_ axis: Int) throws(GraphError) -> Shape {
    var extents = try type(0).shape.extents
    let depth = try integers(1)
    guard depth.count == 1 else { throw .parameterInvalid(node: index) }
    extents.insert(depth[0], at: try normalize(axis, rank: extents.count + 1))
    return try result(extents)
  }
}

/// Shapes of the operators that resample or multiply.
extension NodeView {
  func resize() throws(GraphError) -> Shape {
    let input = try shape(0, ranks: 4...4)
    let size = try integers(1)
    guard size.count == 2, size.allSatisfy({ $0 > 0 }), input[1] > 0, input[2] > 0 else {
      throw .parameterInvalid(node: index)
    }
    return try result([input[0], size[0], size[1], input[3]])
  }

  func batchMatmul(_ parameters: BatchMatmul) throws(GraphError) -> Shape {
    let left = try shape(0, ranks: 2...Shape.rankMaximum)
    let right = try shape(1, ranks: 2...Shape.rankMaximum)
    let (m, k) = matrix(left, isTransposed: parameters.transposesLeft)
    let (depth, n) = matrix(right, isTransposed: parameters.transposesRight)
    guard k == depth else {
      throw .operandExtent(
        node: index, operand: 1, axis: right.rank - 2, expected: k, actual: depth)
    }
    let batch = try common(
      Shape(left.extents.dropLast(2)), Shape(right.extents.dropLast(2)))
    return try result(batch.extents + [m, n])
  }

  private func matrix(_ shape: Shape, isTransposed: Bool) -> (rows: Int, columns: Int) {
    let (a, b) = (shape[shape.rank - 2], shape[shape.rank - 1])
    return isTransposed ? (b, a) : (a, b)
  }

  func transposed(_ parameters: TransposeConvolution2D) throws(GraphError) -> Shape {
    // A shape that is computed is what the model says that it will be, or the window does not fit.
    let wanted = try value(0)
    let isKnown = wanted.constant != nil || wanted.known != nil
    guard isKnown || graph[node.outputs[0]].signatureShape.isConcrete else {
      throw .operandNotConstant(node: index, operand: 0)
    }
    let target = try result(isKnown ? try integers(0) : graph[node.outputs[0]].type.shape.extents)
    let weights = try shape(1, ranks: 4...4)
    let input = try shape(2, ranks: 4...4)
    guard target.rank == 4, target[0] == input[0], target[3] == weights[0],
      weights[3] == input[3]
    else {
      throw .operandExtent(
        node: index, operand: 1, axis: 3, expected: input[3], actual: weights[3])
    }
    // The convolution that this transposes makes the input of the target.
    guard
      let geometry = parameters.window.geometry(
        height: target[1], width: target[2], kernelHeight: weights[1], kernelWidth: weights[2]),
      geometry.outputHeight == input[1], geometry.outputWidth == input[2]
    else { throw .windowInvalid(node: index) }
    return target
  }
}
