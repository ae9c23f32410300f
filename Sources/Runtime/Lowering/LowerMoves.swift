import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

/// Operators that move bytes.
extension Lowering {
  mutating func lowerStridedCopy(_ copy: StridedCopy, _ node: Node) throws(RuntimeError) {
    let input = try operand(node, 0)
    try checkMoves([input], node)
    let source = source(input)
    try addStridedCopy(copy, node, from: source, to: try destination(node.outputs[0]))
  }

  /// Adds a walk through a value; the node's kind is unsupported when it takes more than eight axes.
  ///
  /// With `elementBytes`, the walk is through pieces of that size.
  mutating func addStridedCopy(
    _ copy: StridedCopy, _ node: Node, from source: Source, to destination: BufferID,
    elementBytes: Int? = nil
  ) throws(RuntimeError) {
    let ownBytes = type(try operand(node, 0)).dataType.bitWidth / 8
    let elementBytes = elementBytes ?? ownBytes
    guard let walk = StridedWalk(copy, elementBytes: elementBytes) else { throw unsupported(node) }
    let kernel = table.general.copyStrided
    let bytes = walk.rows * walk.extents[7] * elementBytes
    let split = WorkSplit(
      units: walk.rows,
      costNanoseconds: costNanoseconds(bytes, perNanosecond: walk.isByRows ? 8 : 2))
    add(
      Step(description: description(node, "copyStrided"), split: split) { memory in
        let arguments = unsafe StridedCopyArguments(
          extents: walk.extents, strides: walk.strides, elementBytes: elementBytes,
          input: UnsafeRawPointer(memory.address(source, as: UInt8.self)) + walk.offset,
          output: UnsafeMutableRawPointer(memory.address(destination, as: UInt8.self)))
        return { range, _ in kernel(arguments, range) }
      })
  }

  /// Moved operands share element type, of whole bytes, and quantisation with the result.
  func checkMoves(_ operands: [ValueID], _ node: Node) throws(RuntimeError) {
    let result = type(node.outputs[0])
    guard [8, 16, 32, 64].contains(result.dataType.bitWidth) else { throw unsupported(node) }
    for operand in operands {
      guard type(operand).dataType == result.dataType else { throw unsupported(node) }
    }
  }

  mutating func lowerGather(_ parameters: Gather, _ node: Node) throws(RuntimeError) {
    let (input, indices) = (try operand(node, 0), try operand(node, 1))
    try checkMoves([input], node)
    let (data, axis, batch) = (shape(input), parameters.axis, parameters.batchDimensions)
    guard (0...axis).contains(batch), axis < data.rank else { throw unsupported(node) }
    let elementBytes = type(input).dataType.bitWidth / 8
    let outer = data.extents[batch..<axis].reduce(1, *)
    let inner = data.extents[(axis + 1)...].reduce(elementBytes, *)
    let count = shape(indices).extents[batch...].reduce(1, *)
    let rows = data.extents[..<batch].reduce(1, *) * outer * count
    let isWide = type(indices).dataType == .int64
    let (kernel, extent) = (table.general.gather, data[axis])
    let (source, places) = (source(input), source(indices))
    let destination = try destination(node.outputs[0])
    add(
      Step(
        description: description(node, "gather"),
        split: WorkSplit(
          units: rows, costNanoseconds: costNanoseconds(rows, inner + 16, perNanosecond: 8))
      ) { memory in
        let arguments = unsafe GatherArguments(
          outer: outer, axis: extent, innerBytes: inner, count: count, hasWideIndices: isWide,
          input: memory.raw(source), indices: memory.raw(places), output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerGatherND(_ node: Node) throws(RuntimeError) {
    let (input, indices) = (try operand(node, 0), try operand(node, 1))
    try checkMoves([input], node)
    let data = shape(input)
    let depth = shape(indices).extents.last ?? 0
    let elementBytes = type(input).dataType.bitWidth / 8
    let inner = data.extents[depth...].reduce(elementBytes, *)
    var (extents, strides) = (SIMD8<Int>(repeating: 1), SIMD8<Int>())
    for (axis, stride) in data.strides.enumerated().prefix(depth) {
      extents[axis] = data[axis]
      strides[axis] = stride * elementBytes
    }
    let rows = shape(indices).extents.dropLast().reduce(1, *)
    let isWide = type(indices).dataType == .int64
    let kernel = table.general.gatherND
    let (axes, steps) = (extents, strides)
    let (source, places) = (source(input), source(indices))
    let destination = try destination(node.outputs[0])
    add(
      Step(
        description: description(node, "gatherND"),
        split: WorkSplit(
          units: rows, costNanoseconds: costNanoseconds(rows, inner + 16, perNanosecond: 8))
      ) { memory in
        let arguments = unsafe GatherNDArguments(
          depth: depth, extents: axes, strides: steps, innerBytes: inner, hasWideIndices: isWide,
          input: memory.raw(source), indices: memory.raw(places), output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerMirrorPad(_ includesEdge: Bool, _ node: Node) throws(RuntimeError) {
    let (input, amounts) = (try operand(node, 0), try operand(node, 1))
    try checkMoves([input], node)
    let (data, result) = (shape(input), shape(node.outputs[0]))
    guard let margins = graph.integers(amounts), margins.count == 2 * data.rank else {
      throw unsupported(node)
    }
    let elementBytes = type(input).dataType.bitWidth / 8
    let (extents, outputExtents) = (rightAligned(data.extents, 1), rightAligned(result.extents, 1))
    let before = rightAligned(stride(from: 0, to: margins.count, by: 2).map { margins[$0] }, 0)
    let kernel = table.general.mirror
    let (source, destination) = (source(input), try destination(node.outputs[0]))
    let count = elements(node.outputs[0])
    add(
      Step(
        description: description(node, "mirror"),
        split: WorkSplit(
          units: count / max(outputExtents[7], 1),
          costNanoseconds: costNanoseconds(count, perNanosecond: 0.5))
      ) { memory in
        let arguments = unsafe MirrorArguments(
          extents: extents, before: before, outputExtents: outputExtents,
          includesEdge: includesEdge, elementBytes: elementBytes, input: memory.raw(source),
          output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerOneHot(_ axis: Int, _ node: Node) throws(RuntimeError) {
    let (indices, hit, miss) = (try operand(node, 0), try operand(node, 2), try operand(node, 3))
    try checkMoves([hit, miss], node)
    let result = shape(node.outputs[0])
    let axis = axis < 0 ? axis + result.rank : axis
    let (depth, inner) = (result[axis], result.extents[(axis + 1)...].reduce(1, *))
    let elementBytes = type(hit).dataType.bitWidth / 8
    let isWide = type(indices).dataType == .int64
    let kernel = table.general.oneHot
    let (places, hits, misses) = (source(indices), source(hit), source(miss))
    let destination = try destination(node.outputs[0])
    let rows = result.extents[...axis].reduce(1, *)
    add(
      Step(
        description: description(node, "oneHot"),
        split: WorkSplit(
          units: rows, costNanoseconds: costNanoseconds(rows, inner, perNanosecond: 0.5))
      ) { memory in
        let arguments = unsafe OneHotArguments(
          depth: depth, inner: inner, elementBytes: elementBytes, hasWideIndices: isWide,
          indices: memory.raw(places), hit: memory.raw(hits), miss: memory.raw(misses),
          output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerUpdateSlice(_ node: Node) throws(RuntimeError) {
    let (input, block) = (try operand(node, 0), try operand(node, 1))
    let starts = try operand(node, 2)
    try checkMoves([input, block], node)
    let (data, part) = (shape(input), shape(block))
    guard data.rank == part.rank, shape(starts).elementCount == data.rank,
      zip(data.extents, part.extents).allSatisfy({ $0 >= $1 })
    else { throw unsupported(node) }
    let elementBytes = type(input).dataType.bitWidth / 8
    let isInPlace = isReplaced(input, by: node.outputs[0])
    let (copyRows, kernel) = (table.copyRows, table.general.updateSlice)
    let (extents, blockExtents) = (rightAligned(data.extents, 1), rightAligned(part.extents, 1))
    let isWide = type(starts).dataType == .int64
    let byteCount = elements(input) * elementBytes
    let (source, pieces, places) = (source(input), source(block), source(starts))
    if isInPlace { try replace(input, by: node.outputs[0]) }
    let destination = try destination(node.outputs[0])
    add(
      Step(
        description: description(node, "updateSlice"),
        split: .whole(costNanoseconds: costNanoseconds(byteCount, perNanosecond: 8))
      ) { memory in
        let arguments = unsafe UpdateSliceArguments(
          extents: extents, blockExtents: blockExtents, firstAxis: 8 - data.rank,
          elementBytes: elementBytes, hasWideIndices: isWide, block: memory.raw(pieces),
          starts: memory.raw(places), output: memory.raw(destination))
        let whole = unsafe CopyRowsArguments(
          rows: 1, rowBytes: byteCount, input: memory.raw(source), inputStrideBytes: byteCount,
          output: memory.raw(destination), outputStrideBytes: byteCount)
        return { _, _ in
          if !isInPlace { copyRows(whole) }
          kernel(arguments)
        }
      })
  }

  /// Eight axes of which the last are `extents`.
  private func rightAligned(_ extents: [Int], _ filler: Int) -> SIMD8<Int> {
    var result = SIMD8<Int>(repeating: filler)
    for (axis, extent) in extents.enumerated() { result[8 - extents.count + axis] = extent }
    return result
  }
}

/// A strided copy in the kernel's terms.
struct StridedWalk: Sendable, Equatable {
  private(set) var extents = SIMD8<Int>(repeating: 1)
  /// In bytes.
  private(set) var strides = SIMD8<Int>()
  /// Bytes to the first element.
  private(set) var offset: Int
  /// Indices of all axes but the last.
  private(set) var rows = 1
  /// Whether the last axis is consecutive in the input.
  let isByRows: Bool

  /// Nil when the copy takes more than eight axes.
  init?(_ copy: StridedCopy, elementBytes: Int) {
    let axes = copy.coalesced
    guard axes.extents.count <= 8 else { return nil }
    offset = axes.offset * elementBytes
    strides[7] = elementBytes
    for (axis, (extent, stride)) in zip(axes.extents, axes.strides).enumerated() {
      let place = 8 - axes.extents.count + axis
      extents[place] = extent
      strides[place] = stride * elementBytes
      if place < 7 { rows *= extent }
    }
    isByRows = strides[7] == elementBytes
  }
}

extension ProgramMemory {
  func raw(_ source: Source) -> UnsafeRawPointer {
    unsafe UnsafeRawPointer(address(source, as: UInt8.self))
  }

  func raw(_ buffer: BufferID) -> UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(address(buffer, as: UInt8.self))
  }
}

extension Graph {
  /// The elements of a constant int32 or int64 value; nil for others.
  func integers(_ id: ValueID) -> [Int]? {
    guard let bytes = self[id].constant?.array, let count = self[id].type.shape.elementCount else {
      return nil
    }
    let size = self[id].type.dataType.bitWidth / 8
    guard [DataType.int32, .int64].contains(self[id].type.dataType), bytes.count == count * size
    else { return nil }
    return (0..<count).map { index in
      let element = bytes[index * size..<(index + 1) * size].reversed()
      let bits = element.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return size == 4 ? Int(Int32(truncatingIfNeeded: bits)) : Int(truncatingIfNeeded: bits)
    }
  }
}
