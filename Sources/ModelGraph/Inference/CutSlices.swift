import Tensors

/// Slices that begin where the model computes.
extension NodeView {
  /// The block that a slice cuts out when its begins are not known; nil for every other move.
  ///
  /// Its extents must follow from shapes and constants all the same.
  func cut(_ move: Move) throws(GraphError) -> (shape: Shape, cut: Cut)? {
    switch move {
    case .slice, .stridedSlice: break
    default: return nil
    }
    let begins = try value(1)
    guard begins.constant == nil, begins.known == nil else { return nil }
    let input = try type(0).shape
    guard begins.type.shape.rank == 1, begins.type.shape[0] <= input.rank else {
      throw .parameterInvalid(node: index)
    }
    if case .stridedSlice(let parameters) = move {
      return try cut(parameters, begins: begins.type.shape[0], input)
    }
    let sizes = try integers(2)
    guard sizes.count == input.rank, begins.type.shape[0] == input.rank else {
      throw .parameterInvalid(node: index)
    }
    for (axis, size) in sizes.enumerated() {
      // The rest of an axis has no extent that is known.
      guard size != -1 else { throw .operandNotConstant(node: index, operand: 1) }
      guard (0...input[axis]).contains(size) else { throw .parameterInvalid(node: index) }
    }
    return (
      try result(sizes),
      Cut(extents: sizes, indexPlaces: sizes.indices.map { $0 }, countsFromEnd: false)
    )
  }

  /// Axes are taken whole or at one index.
  private func cut(
    _ parameters: StridedSlice, begins: Int, _ input: Shape
  ) throws(GraphError) -> (shape: Shape, cut: Cut) {
    guard parameters.ellipsisMask == 0, parameters.newAxisMask == 0,
      try integers(3).allSatisfy({ $0 == 1 })
    else { throw .operandNotConstant(node: index, operand: 1) }
    var cut = Cut(extents: input.extents, indexPlaces: input.extents.map { _ in nil }, countsFromEnd: true)
    var shape: [Int] = []
    for axis in 0..<input.rank {
      let bit = 1 << axis
      if axis < begins, parameters.shrinkAxisMask & bit != 0 {
        guard input[axis] > 0 else { throw .parameterInvalid(node: index) }
        cut.extents[axis] = 1
        cut.indexPlaces[axis] = axis
      } else {
        let isWhole =
          axis >= begins || (parameters.beginMask & bit != 0 && parameters.endMask & bit != 0)
        guard isWhole else { throw .operandNotConstant(node: index, operand: 1) }
        shape.append(input[axis])
      }
    }
    return (try result(shape), cut)
  }
}
