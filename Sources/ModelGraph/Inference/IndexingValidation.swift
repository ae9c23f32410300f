import Tensors

/// Checks of the operators that move, pick, compare and resample.
extension NodeView {
  private static var indexTypes: [DataType] { [.int32, .int64] }

  func validateIndexing() throws(GraphError) {
    switch node.operation {
    case .move(let move):
      try expectOperands(move.operands)
      try validateMove(operands: [0])
    case .stridedCopy, .l2Normalize:
      try expectOperands(1...1)
      try validateMove(operands: [0])
    // Made by canonicalisation, which has looked at γ and β.
    case .layerNormalize:
      try expectOperands(3...3)
      try validateMove(operands: [0])
    case .gather, .gatherND:
      try expectOperands(2...2)
      try validateTable()
      try expectIndices(1)
    case .cast:
      try expectOperands(1...1)
      guard resultType.dataType != .string, try type(0).dataType != .string else {
        throw .operandDataType(node: index, operand: 0, actual: try type(0).dataType)
      }
    case .select:
      try expectOperands(3...3)
      try expect(type(0).dataType, of: 0, among: [.bool])
      try validateOperandsLikeResult([1, 2])
    case .argumentOfExtreme:
      try expectOperands(2...2)
      try expectIndices(1)
      guard Self.indexTypes.contains(resultType.dataType) else {
        throw .resultDataType(node: index, actual: resultType.dataType)
      }
    case .resize:
      try expectOperands(2...2)
      try expectIndices(1)
      try validateOperandsLikeResult([0])
    case .batchMatmul:
      try expectOperands(2...2)
      // Weights of 8 bits may have a scale for each column, which a layer that is made of the product takes.
      let types = (try type(0).dataType, try type(1).dataType)
      let isLayer = types == (.int16, .int8) && optionalValue(1)?.constant != nil
      try validateScales(isLayer ? [0] : [0, 1])
    case .transposeConvolution2D:
      try expectOperands(3...4)
      try expectIndices(0)
      try validateScales([2])
    case .mirrorPad, .cumulativeSum:
      try expectOperands(2...2)
      try expectIndices(1)
      try validateOperandsLikeResult([0])
    case .dynamicUpdateSlice:
      try expectOperands(3...3)
      try expectIndices(2)
      try validateOperandsLikeResult([0, 1])
    case .generate(let generator): try validateGenerator(generator)
    case .oneHot:
      try expectOperands(4...4)
      try expectIndices(0)
      try expectIndices(1)
      try validateOperandsLikeResult([2, 3])
    default: break
    }
  }

  /// What is picked keeps its type; codes of a table may be dequantised on the way.
  private func validateTable() throws(GraphError) {
    let table = try type(0)
    guard case .gather = node.operation, table.dataType == .int8, table.quantization != nil,
      resultType.dataType == .float32
    else { return try validateMove(operands: [0]) }
  }

  private func validateGenerator(_ generator: Generator) throws(GraphError) {
    switch generator {
    case .shape, .rank:
      try expectOperands(1...1)
      _ = try type(0)
      guard Self.indexTypes.contains(resultType.dataType) else {
        throw .resultDataType(node: index, actual: resultType.dataType)
      }
    case .zerosLike:
      try expectOperands(1...1)
      try validateOperandsLikeResult([0])
    case .broadcastShape:
      try expectOperands(2...2)
      try expectIndices(0)
      try validateOperandsLikeResult([0, 1])
    case .fill:
      try expectOperands(2...2)
      try expectIndices(0)
      try validateOperandsLikeResult([1])
    case .range:
      try expectOperands(3...3)
      try validateOperandsLikeResult([0, 1, 2])
    }
  }

  func validatePredicate() throws(GraphError) {
    guard resultType.dataType == .bool else {
      throw .resultDataType(node: index, actual: resultType.dataType)
    }
    let left = try type(0)
    guard try type(1).dataType == left.dataType, left.dataType != .string else {
      throw .operandDataType(node: index, operand: 1, actual: try type(1).dataType)
    }
    try validateScales([0, 1])
  }

  private func expectIndices(_ operand: Int) throws(GraphError) {
    try expect(type(operand).dataType, of: operand, among: Self.indexTypes)
  }

  private func validateOperandsLikeResult(_ operands: [Int]) throws(GraphError) {
    for operand in operands {
      let type = try type(operand)
      guard type.dataType == resultType.dataType, type.dataType != .string else {
        throw .operandDataType(node: index, operand: operand, actual: type.dataType)
      }
    }
  }

  private func validateScales(_ operands: [Int]) throws(GraphError) {
    for operand in operands { try expectScale(type(operand), of: operand) }
    try expectScale(resultType, of: nil)
  }
}

extension Move {
  /// Operands with the data.
  fileprivate var operands: ClosedRange<Int> {
    switch self {
    case .transpose, .part, .tile, .broadcast, .reverse: 2...2
    case .spaceToBatch, .batchToSpace: 2...3
    case .slice, .unequalPart: 3...3
    case .stridedSlice: 4...4
    case .element, .spaceToDepth, .depthToSpace: 1...1
    }
  }
}
