import Tensors

/// Moves between channels or batches and blocks of space.
extension NodeView {
  func spaceToDepth(_ block: Int, _ input: Shape) throws(GraphError) -> ResolvedMove {
    let input = try shape(0, ranks: 4...4)
    guard block > 0, block <= GraphLimits.extentMaximum, input[1] % block == 0,
      input[2] % block == 0
    else { throw .parameterInvalid(node: index) }
    let s = input.strides
    let (height, width) = (input[1] / block, input[2] / block)
    return ResolvedMove(
      shape: try result([input[0], height, width, block * block * input[3]]),
      copy: StridedCopy(
        extents: [input[0], height, width, block, block, input[3]],
        strides: [s[0], block * s[1], block * s[2], s[1], s[2], s[3]]))
  }

  func depthToSpace(_ block: Int, _ input: Shape) throws(GraphError) -> ResolvedMove {
    let input = try shape(0, ranks: 4...4)
    guard block > 0, block <= GraphLimits.extentMaximum, input[3] % (block * block) == 0 else {
      throw .parameterInvalid(node: index)
    }
    let s = input.strides
    let channels = input[3] / (block * block)
    return ResolvedMove(
      shape: try result([input[0], input[1] * block, input[2] * block, channels]),
      copy: StridedCopy(
        extents: [input[0], input[1], block, input[2], block, channels],
        strides: [s[0], s[1], block * channels, s[2], channels, 1]))
  }

  /// The block's extents, of which there are as many as axes between the first and the last.
  private func blocks(_ input: Shape) throws(GraphError) -> [Int] {
    let blocks = try integers(1)
    guard blocks.count < input.rank,
      blocks.allSatisfy({ (1...GraphLimits.extentMaximum).contains($0) })
    else { throw .parameterInvalid(node: index) }
    return blocks
  }

  /// The walk is through the padded input.
  func spaceToBatch(_ unpadded: Shape) throws(GraphError) -> ResolvedMove {
    let blocks = try blocks(unpadded)
    let input =
      node.inputs.count < 3
      ? unpadded : try padded(unpadded, try blockMargins(2, rank: unpadded.rank))
    let strides = input.strides
    var batch = input[0]
    var space: [Int] = []
    for (axis, block) in blocks.enumerated() {
      guard input[axis + 1] % block == 0 else { throw .parameterInvalid(node: index) }
      batch = try result([batch]).extents[0] * block
      space.append(input[axis + 1] / block)
    }
    let rest = blocks.count + 1
    var copy = StridedCopy(extents: blocks, strides: Array(strides[1..<rest]))
    copy.extents.append(input[0])
    copy.strides.append(strides[0])
    copy.extents += space
    for (axis, block) in blocks.enumerated() { copy.strides.append(block * strides[axis + 1]) }
    copy.extents += input.extents[rest...]
    copy.strides += strides[rest...]
    return ResolvedMove(shape: try result([batch] + space + input.extents[rest...]), copy: copy)
  }

  /// What operand `operand` says of the axes after the first, as amounts of every axis.
  func blockMargins(_ operand: Int, rank: Int) throws(GraphError) -> [Pad.Amount] {
    let flat = try integers(operand)
    guard flat.count % 2 == 0, flat.count / 2 < rank,
      flat.allSatisfy({ (0...GraphLimits.extentMaximum).contains($0) })
    else { throw .parameterInvalid(node: index) }
    return (0..<rank).map { axis in
      let place = 2 * (axis - 1)
      return place >= 0 && place < flat.count
        ? Pad.Amount(before: flat[place], after: flat[place + 1])
        : Pad.Amount(before: 0, after: 0)
    }
  }

  func padded(_ shape: Shape, _ amounts: [Pad.Amount]) throws(GraphError) -> Shape {
    try result(zip(shape.extents, amounts).map { $0 + $1.before + $1.after })
  }

  /// The walk gives the space before it is cropped.
  func batchToSpace(_ input: Shape) throws(GraphError) -> ResolvedMove {
    var resolved = try wholeSpace()
    guard node.inputs.count == 3 else { return resolved }
    let crops = try blockMargins(2, rank: input.rank)
    for (axis, crop) in crops.enumerated() {
      guard crop.before + crop.after <= resolved.shape[axis] else {
        throw .parameterInvalid(node: index)
      }
      resolved.shape.extents[axis] -= crop.before + crop.after
    }
    return resolved
  }

  /// Blocks put together, nothing cropped.
  func wholeSpace() throws(GraphError) -> ResolvedMove {
    let input = try type(0).shape
    let blocks = try blocks(input)
    let strides = input.strides
    var product = 1
    for block in blocks { product = try result([product]).extents[0] * block }
    guard product > 0, input[0] % product == 0 else { throw .parameterInvalid(node: index) }
    let batch = input[0] / product
    var copy = StridedCopy(extents: [batch], strides: [strides[0]])
    var shape = [batch]
    var step = input[0]
    for (axis, block) in blocks.enumerated() {
      step /= block
      copy.extents += [input[axis + 1], block]
      copy.strides += [strides[axis + 1], step * strides[0]]
      shape.append(input[axis + 1] * block)
    }
    let rest = blocks.count + 1
    copy.extents += input.extents[rest...]
    copy.strides += strides[rest...]
    return ResolvedMove(shape: try result(shape + input.extents[rest...]), copy: copy)
  }
}
