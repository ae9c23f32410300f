import KernelInterface
import ModelGraph
import Tensors

/// Operators that few models have.
extension Lowering {
  mutating func lowerTop(_ node: Node) throws(RuntimeError) {
    let input = try operand(node, 0)
    guard type(node.outputs[0]).quantization == type(input).quantization else {
      throw unsupported(node)
    }
    let (dataType, columns) = (type(input).dataType, shape(input).extents.last ?? 1)
    let count = shape(node.outputs[0]).extents.last ?? 1
    let kernel = table.general.rare.pickTop
    let source = source(input)
    let (values, indices) = (try destination(node.outputs[0]), try destination(node.outputs[1]))
    add(
      Step(
        description: description(node, "pickTop"),
        split: WorkSplit(
          units: elements(input) / max(columns, 1),
          costNanoseconds: costNanoseconds(elements(input), perNanosecond: 0.5))
      ) { memory in
        let arguments = unsafe TopArguments(
          type: dataType, columns: columns, count: count, input: memory.raw(source),
          values: memory.raw(values), indices: memory.address(indices))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerScatter(_ node: Node) throws(RuntimeError) {
    let (indices, updates) = (try operand(node, 0), try operand(node, 1))
    let (result, output) = (shape(node.outputs[0]), node.outputs[0])
    let depth = shape(indices).extents.last ?? 0
    var (extents, strides) = (SIMD8<Int>(repeating: 1), SIMD8<Int>())
    for (axis, stride) in result.strides.enumerated().prefix(depth) {
      (extents[axis], strides[axis]) = (result[axis], stride)
    }
    let (axes, steps) = (extents, strides)
    let slices = shape(indices).extents.dropLast().reduce(1, *)
    let inner = result.extents[depth...].reduce(1, *)
    let (dataType, isWide) = (type(updates).dataType, type(indices).dataType == .int64)
    let count = elements(output)
    let kernel = table.general.rare.scatter
    let (places, parts) = (source(indices), source(updates))
    let background = node.input(3).map { source($0) }
    let destination = try destination(output)
    add(
      Step(
        description: description(node, "scatter"),
        split: .whole(costNanoseconds: costNanoseconds(count + slices * inner, perNanosecond: 1))
      ) { memory in
        let arguments = unsafe ScatterArguments(
          type: dataType, depth: depth, extents: axes, strides: steps, inner: inner,
          slices: slices, count: count, hasWideIndices: isWide, indices: memory.raw(places),
          updates: memory.raw(parts), background: background.map { unsafe memory.raw($0) },
          output: memory.raw(destination))
        return { _, _ in kernel(arguments) }
      })
  }

  mutating func lowerReverseSequence(
    _ parameters: ReverseSequence, _ node: Node
  ) throws(RuntimeError) {
    let (input, lengths) = (try operand(node, 0), try operand(node, 1))
    try checkMoves([input], node)
    let extents = shape(input).extents
    let axes = [parameters.axis, parameters.batchAxis].sorted()
    let elementBytes = type(input).dataType.bitWidth / 8
    let outer = extents[..<axes[0]].reduce(1, *)
    let middle = extents[(axes[0] + 1)..<axes[1]].reduce(1, *)
    let inner = extents[(axes[1] + 1)...].reduce(elementBytes, *)
    let (first, second) = (extents[axes[0]], extents[axes[1]])
    let (turnsFirst, isWide) = (axes[0] == parameters.axis, type(lengths).dataType == .int64)
    let kernel = table.general.rare.reverseSequence
    let (source, counts) = (source(input), source(lengths))
    let destination = try destination(node.outputs[0])
    add(
      Step(
        description: description(node, "reverseSequence"),
        split: WorkSplit(
          units: outer * first * middle * second,
          costNanoseconds: costNanoseconds(outer * first * middle * second, inner + 16, perNanosecond: 8))
      ) { memory in
        let arguments = unsafe ReverseSequenceArguments(
          outer: outer, first: first, middle: middle, second: second, innerBytes: inner,
          turnsFirst: turnsFirst, hasWideLengths: isWide, lengths: memory.raw(counts),
          input: memory.raw(source), output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerNeighbours(
    _ parameters: NeighbourNormalization, _ node: Node
  ) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let columns = shape(input).extents.last ?? 1
    let kernel = table.general.rare.normalizeByNeighbours
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "normalizeByNeighbours"),
        split: WorkSplit(
          units: elements(input) / max(columns, 1),
          costNanoseconds: costNanoseconds(elements(input), perNanosecond: 0.03))
      ) { memory in
        let arguments = unsafe NeighbourArguments(
          columns: columns, radius: parameters.radius, bias: parameters.bias,
          alpha: parameters.alpha, beta: parameters.beta, input: memory.address(source),
          output: memory.address(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerCut(_ cut: Cut, _ node: Node) throws(RuntimeError) {
    let (input, indices) = (try operand(node, 0), try operand(node, 1))
    try checkMoves([input], node)
    let data = shape(input)
    var (extents, block) = (SIMD8<Int>(repeating: 1), SIMD8<Int>(repeating: 1))
    var places = SIMD8<Int>(repeating: -1)
    for axis in 0..<data.rank {
      let place = 8 - data.rank + axis
      (extents[place], block[place]) = (data[axis], cut.extents[axis])
      places[place] = cut.indexPlaces[axis] ?? -1
    }
    let (axes, blockAxes, indexPlaces) = (extents, block, places)
    let elementBytes = type(input).dataType.bitWidth / 8
    let isWide = type(indices).dataType == .int64
    let kernel = table.general.rare.cut
    let (source, starts) = (source(input), source(indices))
    let destination = try destination(node.outputs[0])
    add(
      Step(
        description: description(node, "cut"),
        split: .whole(
          costNanoseconds: costNanoseconds(
            elements(node.outputs[0]), elementBytes, perNanosecond: 4))
      ) { memory in
        let arguments = unsafe CutArguments(
          extents: axes, blockExtents: blockAxes, indexPlaces: indexPlaces,
          countsFromEnd: cut.countsFromEnd, elementBytes: elementBytes, hasWideIndices: isWide,
          input: memory.raw(source), indices: memory.raw(starts),
          output: memory.raw(destination))
        return { _, _ in kernel(arguments) }
      })
  }
}
