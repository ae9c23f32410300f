import Tensors

/// A move with its operands read: the output's shape, and the walk through the input.
struct ResolvedMove {
  var shape: Shape
  var copy: StridedCopy
}

extension NodeView {
  func resolve(_ move: Move) throws(GraphError) -> ResolvedMove {
    let input = try type(0).shape
    switch move {
    case .transpose: return try transpose(input)
    case .slice: return try slice(input)
    case .stridedSlice(let parameters): return try stridedSlice(parameters, input)
    case .part(let index, let count):
      let axis = try axisOperand(1, rank: input.rank)
      guard count > 0, input[axis] % count == 0 else { throw .parameterInvalid(node: self.index) }
      let extent = input[axis] / count
      return try cut(input, axis: axis, from: index * extent, extent: extent)
    case .unequalPart(let index): return try unequalPart(index, input)
    case .element(let index, let axis):
      let axis = try normalize(axis, rank: input.rank)
      guard index < input[axis] else { throw .parameterInvalid(node: self.index) }
      var part = try cut(input, axis: axis, from: index, extent: 1)
      part.shape.extents.remove(at: axis)
      return part
    case .tile: return try tile(input)
    case .broadcast: return try broadcast(input)
    case .spaceToDepth(let block): return try spaceToDepth(block, input)
    case .depthToSpace(let block): return try depthToSpace(block, input)
    case .reverse:
      var copy = StridedCopy(extents: input.extents, strides: input.strides)
      for axis in Set(try integers(1)) {
        let axis = try normalize(axis, rank: input.rank)
        guard input[axis] > 0, copy.strides[axis] > 0 else { continue }
        copy.offset += (input[axis] - 1) * copy.strides[axis]
        copy.strides[axis] *= -1
      }
      return ResolvedMove(shape: input, copy: copy)
    case .spaceToBatch: return try spaceToBatch(input)
    case .batchToSpace: return try batchToSpace(input)
    }
  }

  /// A scalar operand that names an axis.
  func axisOperand(_ operand: Int, rank: Int) throws(GraphError) -> Int {
    let given = try integers(operand)
    guard given.count == 1 else { throw .parameterInvalid(node: index) }
    return try normalize(given[0], rank: rank)
  }

  private func cut(
    _ input: Shape, axis: Int, from begin: Int, extent: Int
  ) throws(GraphError) -> ResolvedMove {
    guard begin >= 0, extent >= 0, begin <= input[axis], extent <= input[axis] - begin else {
      throw .parameterInvalid(node: index)
    }
    var extents = input.extents
    extents[axis] = extent
    let strides = input.strides
    return ResolvedMove(
      shape: try result(extents),
      copy: StridedCopy(extents: extents, strides: strides, offset: begin * strides[axis]))
  }

  private func transpose(_ input: Shape) throws(GraphError) -> ResolvedMove {
    let order = try integers(1)
    guard Set(order.map { $0 < 0 ? $0 + input.rank : $0 }) == Set(0..<input.rank),
      order.count == input.rank
    else { throw .parameterInvalid(node: index) }
    let axes = order.map { $0 < 0 ? $0 + input.rank : $0 }
    let extents = axes.map { input[$0] }
    let strides = input.strides
    return ResolvedMove(
      shape: try result(extents),
      copy: StridedCopy(extents: extents, strides: axes.map { strides[$0] }))
  }

  private func slice(_ input: Shape) throws(GraphError) -> ResolvedMove {
    let (begins, sizes) = (try integers(1), try integers(2))
    guard begins.count == input.rank, sizes.count == input.rank else {
      throw .parameterInvalid(node: index)
    }
    let strides = input.strides
    var extents: [Int] = []
    var offset = 0
    for axis in 0..<input.rank {
      guard (0...input[axis]).contains(begins[axis]) else { throw .parameterInvalid(node: index) }
      let rest = input[axis] - begins[axis]
      let size = sizes[axis] == -1 ? rest : sizes[axis]
      guard (0...rest).contains(size) else { throw .parameterInvalid(node: index) }
      extents.append(size)
      offset += begins[axis] * strides[axis]
    }
    return ResolvedMove(
      shape: try result(extents),
      copy: StridedCopy(extents: extents, strides: strides, offset: offset))
  }

  private func unequalPart(_ part: Int, _ input: Shape) throws(GraphError) -> ResolvedMove {
    let axis = try axisOperand(2, rank: input.rank)
    var sizes = try integers(1)
    let known = sizes.filter { $0 >= 0 }
    guard sizes.indices.contains(part), known.count >= sizes.count - 1,
      known.allSatisfy({ $0 <= input[axis] })
    else { throw .parameterInvalid(node: index) }
    let rest = input[axis] - known.reduce(0, +)
    sizes = sizes.map { $0 < 0 ? rest : $0 }
    return try cut(
      input, axis: axis, from: sizes[..<part].reduce(0, +), extent: sizes[part])
  }

  private func tile(_ input: Shape) throws(GraphError) -> ResolvedMove {
    let multiples = try integers(1)
    guard multiples.count == input.rank,
      multiples.allSatisfy({ (0...GraphLimits.extentMaximum).contains($0) })
    else { throw .parameterInvalid(node: index) }
    var copy = StridedCopy(extents: [], strides: [])
    for (axis, stride) in input.strides.enumerated() {
      copy.extents += [multiples[axis], input[axis]]
      copy.strides += [0, stride]
    }
    let extents = try result(multiples.map { $0 }).extents
    return ResolvedMove(
      shape: try result(zip(extents, input.extents).map { $0 * $1 }), copy: copy)
  }

  private func broadcast(_ input: Shape) throws(GraphError) -> ResolvedMove {
    let target = try result(try integers(1))
    let lead = target.rank - input.rank
    let mismatch = GraphError.notBroadcastable(node: index, left: input, right: target)
    guard lead >= 0 else { throw mismatch }
    var strides = [Int](repeating: 0, count: lead)
    for (axis, stride) in input.strides.enumerated() {
      guard input[axis] == 1 || input[axis] == target[lead + axis] else { throw mismatch }
      strides.append(input[axis] == 1 ? 0 : stride)
    }
    return ResolvedMove(
      shape: target, copy: StridedCopy(extents: target.extents, strides: strides))
  }
}

extension Shape {
  /// Elements from one index to the next of each axis.
  package var strides: [Int] {
    var result = [Int](repeating: 1, count: rank)
    for axis in (0..<max(rank - 1, 0)).reversed() {
      result[axis] = result[axis + 1] * extents[axis + 1]
    }
    return result
  }
}
