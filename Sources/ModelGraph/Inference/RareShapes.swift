import Tensors

/// Shapes and types of operators that hardly any model has.
extension NodeView {
  func convolution3D(_ parameters: Convolution3D) throws(GraphError) -> Shape {
    let input = try shape(0, ranks: 5...5)
    let weights = try shape(1, ranks: 5...5)
    try expect(input[4], at: 3, of: 1, in: weights)
    if let bias = optionalValue(2)?.type.shape {
      guard bias.elementCount == weights[4] else {
        throw .operandExtent(
          node: index, operand: 2, axis: 0, expected: weights[4], actual: bias.elementCount ?? 0)
      }
    }
    if parameters.isTransposed { return try transposed(parameters, input, weights) }
    guard
      let (plane, depth) = parameters.geometry(
        input: Array(input.extents[1...3]), kernel: Array(weights.extents[..<3]))
    else { throw .windowInvalid(node: index) }
    return try result([
      input[0], depth.outputHeight, plane.outputHeight, plane.outputWidth, weights[4],
    ])
  }

  /// The shape that operand 3 wants; the convolution that is transposed makes the input of it.
  private func transposed(
    _ parameters: Convolution3D, _ input: Shape, _ weights: Shape
  ) throws(GraphError) -> Shape {
    let target = try result(try integers(3))
    guard target.rank == 5, target[0] == input[0], target[4] == weights[4] else {
      throw .parameterInvalid(node: index)
    }
    guard
      let (plane, depth) = parameters.geometry(
        input: Array(target.extents[1...3]), kernel: Array(weights.extents[..<3])),
      [depth.outputHeight, plane.outputHeight, plane.outputWidth]
        == Array(input.extents[1...3])
    else { throw .windowInvalid(node: index) }
    return target
  }

  func segment() throws(GraphError) -> Shape {
    let data = try shape(0, ranks: 1...Shape.rankMaximum)
    let numbers = try shape(1, ranks: 1...1)
    try expect(data[0], at: 0, of: 1, in: numbers)
    let count: Int
    if node.inputs.count > 2 {
      guard let given = try integers(2).first, try integers(2).count == 1 else {
        throw .parameterInvalid(node: index)
      }
      count = given
    } else {
      let last = try integers(1).last ?? -1
      guard last >= -1, last < GraphLimits.extentMaximum else {
        throw .parameterInvalid(node: index)
      }
      count = last + 1
    }
    return try result([count] + data.extents.dropFirst())
  }

  func selectBoxes(_ parameters: SelectBoxes) throws(GraphError) -> [Shape] {
    let boxes = try shape(0, ranks: 2...2)
    try expect(4, at: 1, of: 0, in: boxes)
    try expect(boxes[0], at: 0, of: 1, in: try shape(1, ranks: 1...1))
    let limit = try integers(2)
    guard limit.count == 1, (0...GraphLimits.detectionsMaximum).contains(limit[0]) else {
      throw .parameterInvalid(node: index)
    }
    for operand in 3..<node.inputs.count where try type(operand).shape.elementCount != 1 {
      throw .parameterInvalid(node: index)
    }
    return parameters.isScored ? [[limit[0]], [limit[0]], []] : [[limit[0]], []]
  }

  func diagonal() throws(GraphError) -> Shape {
    guard node.inputs.count > 1 else {
      let diagonals = try shape(0, ranks: 1...Shape.rankMaximum)
      return try result(diagonals.extents + [diagonals[diagonals.rank - 1]])
    }
    let matrices = try shape(0, ranks: 2...Shape.rankMaximum)
    let diagonals = try shape(1, ranks: 1...Shape.rankMaximum)
    let lengths = matrices.extents.dropLast(2) + [matrices.extents.suffix(2).min() ?? 0]
    guard diagonals.extents == Array(lengths) else {
      throw .notBroadcastable(node: index, left: matrices, right: diagonals)
    }
    return matrices
  }

  func validateRare() throws(GraphError) {
    switch node.operation {
    case .convolution3D(let parameters):
      try expectOperands(parameters.isTransposed ? 4...4 : 2...3)
      for operand in node.inputs.indices.prefix(3) where node.input(operand) != nil {
        try expect(type(operand).dataType, of: operand, among: [.float32])
      }
      try expectResults([.float32])
    case .segment:
      try expectOperands(2...3)
      try expect(type(0).dataType, of: 0, among: [.float32, .int32, .int64])
      try expect(type(1).dataType, of: 1, among: [.int32, .int64])
      try expectResults([try type(0).dataType])
    case .bucketize(let parameters):
      try expectOperands(1...1)
      try expect(type(0).dataType, of: 0, among: [.float32, .int32, .int64])
      try expectResults([.int32])
      guard zip(parameters.bounds, parameters.bounds.dropFirst()).allSatisfy({ $0 <= $1 }) else {
        throw .parameterInvalid(node: index)
      }
    case .selectBoxes(let parameters):
      try expectOperands(parameters.isScored ? 6...6 : 5...5)
      for operand in node.inputs.indices where operand != 2 {
        try expect(type(operand).dataType, of: operand, among: [.float32])
      }
      try expectResults(parameters.isScored ? [.int32, .float32, .int32] : [.int32, .int32])
    case .diagonal:
      try expectOperands(1...2)
      try validateMove(operands: Array(node.inputs.indices))
    default: break
    }
  }

  func expectResults(_ types: [DataType]) throws(GraphError) {
    for (output, expected) in zip(node.outputs, types) {
      guard graph[output].type.dataType == expected else {
        throw .resultDataType(node: index, actual: graph[output].type.dataType)
      }
    }
  }
}
