import Tensors

/// Shapes of the operators that move, join or fold elements.
extension NodeView {
  /// The common shape of operands 0 and 1; axes align at the last, and an extent of 1 stretches.
  func broadcast() throws(GraphError) -> Shape {
    let left = try type(0).shape
    let right = try type(1).shape
    let rank = Swift.max(left.rank, right.rank)
    var extents: [Int] = []
    for axis in 0..<rank {
      let a = axis - (rank - left.rank)
      let b = axis - (rank - right.rank)
      let x = a < 0 ? 1 : left[a]
      let y = b < 0 ? 1 : right[b]
      guard x == y || x == 1 || y == 1 else {
        throw .notBroadcastable(node: index, left: left, right: right)
      }
      extents.append(x == 1 ? y : x)
    }
    return try result(extents)
  }

  /// The extents that a reshape asks for, from its parameter or its second operand.
  func target(_ parameters: Reshape) throws(GraphError) -> [Int] {
    if let target = parameters.target { return target }
    return try integers(1)
  }

  func reshape(_ parameters: Reshape) throws(GraphError) -> Shape {
    var extents = try target(parameters)
    let elements = try type(0).shape.elementCount ?? 0
    let mismatch = GraphError.reshapeCount(
      node: index, elements: elements, target: Shape(extents))
    let free = extents.indices.filter { extents[$0] == -1 }
    if let axis = free.first {
      extents[axis] = 1
      guard free.count == 1, let known = Shape(extents).elementCount else { throw mismatch }
      if known == 0 {
        guard elements == 0 else { throw mismatch }
        extents[axis] = 0
      } else {
        guard elements % known == 0 else { throw mismatch }
        extents[axis] = elements / known
      }
    }
    guard Shape(extents).elementCount == elements else { throw mismatch }
    return try result(extents)
  }

  func squeeze(_ parameters: Squeeze) throws(GraphError) -> Shape {
    let input = try type(0).shape
    var removed: Set<Int> = []
    for axis in parameters.axes {
      let axis = try normalize(axis, rank: input.rank)
      guard input[axis] == 1 else {
        throw .axisNotSqueezable(node: index, axis: axis, extent: input[axis])
      }
      removed.insert(axis)
    }
    let extents = input.extents.enumerated().filter { axis, extent in
      parameters.axes.isEmpty ? extent != 1 : !removed.contains(axis)
    }
    return try result(extents.map(\.element))
  }

  /// The operand's shape with an axis of extent 1, from the parameter or the second operand.
  func expandDimensions(_ parameters: ExpandDimensions) throws(GraphError) -> Shape {
    var extents = try type(0).shape.extents
    let axis: Int
    if let given = parameters.axis {
      axis = given
    } else {
      let given = try integers(1)
      guard given.count == 1 else { throw .parameterInvalid(node: index) }
      axis = given[0]
    }
    extents.insert(1, at: try normalize(axis, rank: extents.count + 1))
    return try result(extents)
  }

  /// The elements that a pad puts around each axis, from its parameter or its second operand.
  func amounts(_ parameters: Pad) throws(GraphError) -> [Pad.Amount] {
    if let amounts = parameters.amounts { return amounts }
    let flat = try integers(1)
    guard flat.count % 2 == 0 else { throw .parameterInvalid(node: index) }
    return stride(from: 0, to: flat.count, by: 2).map {
      Pad.Amount(before: flat[$0], after: flat[$0 + 1])
    }
  }

  func pad(_ parameters: Pad) throws(GraphError) -> Shape {
    let input = try type(0).shape
    let amounts = try amounts(parameters)
    guard amounts.count == input.rank else { throw .parameterInvalid(node: index) }
    var extents: [Int] = []
    for (extent, amount) in zip(input.extents, amounts) {
      let allowed = 0...GraphLimits.extentMaximum
      guard allowed.contains(amount.before), allowed.contains(amount.after) else {
        throw .parameterInvalid(node: index)
      }
      extents.append(extent + amount.before + amount.after)
    }
    return try result(extents)
  }

  /// The axes that a reduction folds, counted from the first, each once, ascending.
  func axes(_ parameters: Reduce) throws(GraphError) -> [Int] {
    let rank = try type(0).shape.rank
    var folded: Set<Int> = []
    let named: [Int]
    if let axes = parameters.axes { named = axes } else { named = try integers(1) }
    for axis in named {
      folded.insert(try normalize(axis, rank: rank))
    }
    return folded.sorted()
  }

  func reduce(_ parameters: Reduce) throws(GraphError) -> Shape {
    let input = try type(0).shape
    let folded = Set(try axes(parameters))
    let isDefined = parameters.kind.isDefinedOnNothing(try type(0).dataType)
    var extents: [Int] = []
    for (axis, extent) in input.extents.enumerated() {
      guard folded.contains(axis) else {
        extents.append(extent)
        continue
      }
      guard extent > 0 || isDefined else {
        throw .operandExtent(node: index, operand: 0, axis: axis, expected: 1, actual: extent)
      }
      if parameters.keepsDimensions { extents.append(1) }
    }
    return try result(extents)
  }

  func concatenate(_ parameters: Concatenate) throws(GraphError) -> Shape {
    let first = try type(0).shape
    if parameters.stacks { return try stack(parameters, first) }
    let axis = try normalize(parameters.axis, rank: first.rank)
    var extents = first.extents
    for operand in node.inputs.indices.dropFirst() {
      let other = try shape(operand, ranks: first.rank...first.rank)
      for place in 0..<first.rank where place != axis {
        try expect(first[place], at: place, of: operand, in: other)
      }
      extents[axis] += other[axis]
      guard extents[axis] <= GraphLimits.extentMaximum else {
        throw .shapeTooLarge(node: index, shape: Shape(extents))
      }
    }
    return try result(extents)
  }

  private func stack(_ parameters: Concatenate, _ first: Shape) throws(GraphError) -> Shape {
    for operand in node.inputs.indices.dropFirst() {
      let other = try shape(operand, ranks: first.rank...first.rank)
      for axis in 0..<first.rank { try expect(first[axis], at: axis, of: operand, in: other) }
    }
    var extents = first.extents
    extents.insert(node.inputs.count, at: try normalize(parameters.axis, rank: first.rank + 1))
    return try result(extents)
  }
}
