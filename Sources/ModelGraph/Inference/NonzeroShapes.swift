import Tensors

/// Shapes and checks of operators whose results are as many as their operands' elements say.
extension NodeView {
  func nonzero(_ kind: Nonzero) throws(GraphError) -> Shape {
    guard case .positions = kind else { return [1] }
    let input = try type(0).shape
    let count = try integers(1)
    guard count.count == 1, (0...(input.elementCount ?? 0)).contains(count[0]) else {
      throw .parameterInvalid(node: index)
    }
    return try result([count[0], input.rank])
  }

  /// Room for all elements, in case that no two are equal.
  func distinct() throws(GraphError) -> [Shape] {
    let input = try shape(0, ranks: 1...1)
    return [input, input, [1]]
  }

  func validateNonzero() throws(GraphError) {
    switch node.operation {
    case .nonzero(let kind):
      if case .positions = kind { try expectOperands(2...2) } else { try expectOperands(1...1) }
      try expect(
        type(0).dataType, of: 0,
        among: [.bool, .float32, .int8, .uint8, .int16, .int32, .uint32, .int64])
      try expectResults([.int64])
    case .distinct:
      try expectOperands(1...1)
      let input = try type(0).dataType
      try expect(input, of: 0, among: [.float32, .int8, .uint8, .int16, .int32, .int64])
      let places = graph[node.outputs[1]].type.dataType
      try expectResults([input, places == .int64 ? .int64 : .int32, .int64])
    default: break
    }
  }
}
