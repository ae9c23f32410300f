import Tensors

extension NodeView {
  func stridedSlice(
    _ parameters: StridedSlice, _ input: Shape
  ) throws(GraphError) -> ResolvedMove {
    let (begins, ends, steps) = (try integers(1), try integers(2), try integers(3))
    guard ends.count == begins.count, steps.count == begins.count,
      begins.count <= 2 * Shape.rankMaximum
    else { throw .parameterInvalid(node: index) }
    let strides = input.strides
    var (shape, copy) = ([Int](), StridedCopy(extents: [], strides: []))
    var axis = 0
    /// Takes whole axes.
    func take(_ count: Int) {
      for _ in 0..<max(count, 0) {
        shape.append(input[axis])
        copy.extents.append(input[axis])
        copy.strides.append(strides[axis])
        axis += 1
      }
    }
    let has = { (mask: Int, place: Int) in mask >> place & 1 == 1 }
    let named = begins.indices.count { place in
      !has(parameters.ellipsisMask, place) && !has(parameters.newAxisMask, place)
    }
    guard named <= input.rank else { throw .parameterInvalid(node: index) }
    for place in begins.indices {
      if has(parameters.ellipsisMask, place) {
        take(input.rank - named)
        continue
      }
      if has(parameters.newAxisMask, place) {
        shape.append(1)
        continue
      }
      guard axis < input.rank else { throw .parameterInvalid(node: index) }
      let extent = input[axis]
      let shrinks = has(parameters.shrinkAxisMask, place)
      let step = shrinks ? 1 : steps[place]
      guard step != 0, abs(step) <= GraphLimits.extentMaximum else {
        throw .parameterInvalid(node: index)
      }
      let first = bound(
        begins[place], extent, step, isOpen: has(parameters.beginMask, place) && !shrinks,
        open: step > 0 ? 0 : extent - 1)
      let end = parameters.endsAreOffsets ? begins[place] &+ ends[place] : ends[place]
      let last = bound(
        end, extent, step, isOpen: has(parameters.endMask, place),
        open: step > 0 ? extent : -1)
      let span = step > 0 ? last - first : first - last
      let count = shrinks ? 1 : max(0, (span + abs(step) - 1) / abs(step))
      guard count == 0 || (0..<extent).contains(first) else {
        throw .parameterInvalid(node: index)
      }
      if count > 0 { copy.offset += first * strides[axis] }
      copy.extents.append(count)
      copy.strides.append(step * strides[axis])
      if !shrinks { shape.append(count) }
      axis += 1
    }
    take(input.rank - axis)
    return ResolvedMove(shape: try result(shape), copy: copy)
  }

  /// An index counted from the first element, within what a step of this sign can reach.
  private func bound(_ index: Int, _ extent: Int, _ step: Int, isOpen: Bool, open: Int) -> Int {
    guard !isOpen else { return open }
    let counted = index < 0 ? index &+ extent : index
    return step > 0 ? min(max(counted, 0), extent) : min(max(counted, -1), extent - 1)
  }
}
