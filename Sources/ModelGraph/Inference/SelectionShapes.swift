import Tensors

/// Shapes of the operators that few models have.
extension NodeView {
  func spectrum() throws(GraphError) -> Shape {
    var extents = try shape(0, ranks: 2...Shape.rankMaximum).extents
    let lengths = try integers(1)
    guard lengths.count == 2,
      lengths.allSatisfy({
        (1...GraphLimits.transformLengthMaximum).contains($0) && $0 & ($0 - 1) == 0
      })
    else { throw .parameterInvalid(node: index) }
    extents[extents.count - 2] = lengths[0]
    extents[extents.count - 1] = lengths[1] / 2 + 1
    return try result(extents)
  }

  func top() throws(GraphError) -> [Shape] {
    var extents = try shape(0, ranks: 1...Shape.rankMaximum).extents
    let count = try integers(1)
    guard count.count == 1, (0...extents[extents.count - 1]).contains(count[0]) else {
      throw .parameterInvalid(node: index)
    }
    extents[extents.count - 1] = count[0]
    return [try result(extents), try result(extents)]
  }

  func scatter() throws(GraphError) -> Shape {
    let indices = try shape(0, ranks: 1...Shape.rankMaximum)
    let updates = try type(1).shape
    let output = try result(try integers(2))
    let depth = indices[indices.rank - 1]
    guard depth <= output.rank else { throw .parameterInvalid(node: index) }
    let expected = Shape(indices.extents.dropLast() + output.extents[depth...])
    guard updates == expected else {
      throw .notBroadcastable(node: index, left: expected, right: updates)
    }
    return output
  }

  func reverseSequence(_ parameters: ReverseSequence) throws(GraphError) -> Shape {
    let input = try shape(0, ranks: 2...Shape.rankMaximum)
    let axis = try normalize(parameters.axis, rank: input.rank)
    let batch = try normalize(parameters.batchAxis, rank: input.rank)
    guard axis != batch else { throw .parameterInvalid(node: index) }
    let lengths = try shape(1, ranks: 1...1)
    try expect(input[batch], at: 0, of: 1, in: lengths)
    return input
  }

  func validateSelection() throws(GraphError) {
    switch node.operation {
    case .spectrum:
      try expectOperands(2...2)
      try expect(type(0).dataType, of: 0, among: [.float32])
      try expectResult(.complex64)
    case .complexPart:
      try expectOperands(1...1)
      try expect(type(0).dataType, of: 0, among: [.complex64])
      try expectResult(.float32)
    case .top:
      try expectOperands(2...2)
      let input = try type(0).dataType
      try expect(input, of: 0, among: [.float32, .int8, .uint8, .int16, .int32, .int64])
      try expectResult(input)
      guard graph[node.outputs[1]].type.dataType == .int32 else {
        throw .resultDataType(node: index, actual: graph[node.outputs[1]].type.dataType)
      }
    case .scatter:
      try expectOperands(3...4)
      try expect(type(0).dataType, of: 0, among: [.int32, .int64])
      try expect(
        type(1).dataType, of: 1,
        among: [.float32, .int8, .uint8, .bool, .int16, .int32, .int64])
      try expectResult(try type(1).dataType)
      if node.inputs.count > 3 {
        try expect(type(3).dataType, of: 3, among: [resultType.dataType])
        guard try type(3).shape.elementCount == 1 else { throw .parameterInvalid(node: index) }
      }
    case .reverseSequence:
      try expectOperands(2...2)
      try validateMove(operands: [0])
      try expect(type(1).dataType, of: 1, among: [.int32, .int64])
    case .normalizeByNeighbours(let parameters):
      try expectOperands(1...1)
      try expect(type(0).dataType, of: 0, among: [.float32])
      try expectResult(.float32)
      guard parameters.radius >= 0, try type(0).shape.rank > 0 else {
        throw .parameterInvalid(node: index)
      }
    case .cut:
      try expectOperands(2...2)
      try validateMove(operands: [0])
      try expect(type(1).dataType, of: 1, among: [.int32, .int64])
    default: break
    }
  }

  private func expectResult(_ type: DataType) throws(GraphError) {
    guard resultType.dataType == type else {
      throw .resultDataType(node: index, actual: resultType.dataType)
    }
  }
}
