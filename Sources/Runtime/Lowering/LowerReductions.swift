import KernelInterface
import ModelGraph
import Tensors

/// Reductions through the general kernels.
extension Lowering {
  /// Any kind over any axes: axes that are not neighbours are first brought together.
  mutating func lowerReduceElements(_ parameters: Reduce, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let (dataType, operation) = (type(input).dataType, parameters.kind.operation)
    guard
      let axes = parameters.axes, type(output).dataType == dataType, operation.takes(dataType),
      elements(input) > 0
    else { throw unsupported(node) }
    let schemes = (try scheme(input, of: node), try scheme(output, of: node))
    let reduction: ReductionShape
    let place: Source
    if let neighbours = ReductionShape(shape(input), axes: axes) {
      (reduction, place) = (neighbours, source(input))
    } else {
      let data = shape(input)
      let order = data.extents.indices.filter { !axes.contains($0) } + axes
      let strides = data.strides
      let copy = StridedCopy(
        extents: order.map { data[$0] }, strides: order.map { strides[$0] })
      let source = source(input)
      let together = temporary(byteCount: type(input).byteCount ?? 0)
      try addStridedCopy(copy, node, from: source, to: together)
      let reduced = axes.reduce(1) { $0 * data[$1] }
      reduction = ReductionShape(outer: elements(input) / reduced, reduced: reduced, inner: 1)
      place = .buffer(together)
    }
    let kernel = table.general.reduce
    let destination = try destination(output)
    add(
      Step(
        description: description(node, "reduceElements"),
        split: WorkSplit(
          units: reduction.outer,
          costNanoseconds: costNanoseconds(elements(input), perNanosecond: 1))
      ) { memory in
        let arguments = unsafe ReductionArguments(
          operation: operation, type: dataType, shape: reduction, inputScheme: schemes.0,
          outputScheme: schemes.1, input: memory.raw(place), output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerArgument(
    _ parameters: ArgumentOfExtreme, _ node: Node
  ) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let known: [DataType] = [.float32, .int8, .uint8, .int16, .int32, .int64, .bool]
    let dataType = type(input).dataType
    guard
      known.contains(dataType), let axis = graph.integers(try operand(node, 1))?.first,
      let reduction = ReductionShape(shape(input), axes: [axis])
    else { throw unsupported(node) }
    let (kernel, outputType) = (table.general.argumentOfExtreme, type(output).dataType)
    let isMaximum = parameters.isMaximum
    let (source, destination) = (source(input), try destination(output))
    // An axis of extent 1 counts as nothing to fold.
    add(
      Step(
        description: description(node, "argumentOfExtreme"),
        split: WorkSplit(
          units: reduction.outer,
          costNanoseconds: costNanoseconds(elements(input), perNanosecond: 1))
      ) { memory in
        let arguments = unsafe ArgumentArguments(
          isMaximum: isMaximum, type: dataType, shape: reduction, outputType: outputType,
          input: memory.raw(source), output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerCumulativeSum(_ parameters: CumulativeSum, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let dataType = type(input).dataType
    guard
      [.float32, .int32, .int64].contains(dataType),
      let axis = graph.integers(try operand(node, 1))?.first,
      let reduction = ReductionShape(shape(input), axes: [axis])
    else { throw unsupported(node) }
    let kernel = table.general.cumulativeSum
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "cumulativeSum"),
        split: WorkSplit(
          units: reduction.outer,
          costNanoseconds: costNanoseconds(elements(input), perNanosecond: 1))
      ) { memory in
        let arguments = unsafe CumulativeSumArguments(
          isExclusive: parameters.isExclusive, isReversed: parameters.isReversed, type: dataType,
          shape: reduction, input: memory.raw(source), output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  /// Log-softmax, or rows brought to length 1, of float32 values.
  mutating func lowerNormalizeRows(isLogSoftmax: Bool, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let columns = shape(input).extents.last ?? 1
    guard type(input).dataType == .float32, type(output).dataType == .float32, columns > 0 else {
      throw unsupported(node)
    }
    let kernel = table.general.normalizeRows
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "normalizeRows"),
        split: WorkSplit(
          units: elements(input) / columns,
          costNanoseconds: costNanoseconds(elements(input), perNanosecond: 0.3))
      ) { memory in
        let arguments = unsafe NormalizeRowsArguments(
          isLogSoftmax: isLogSoftmax, columns: columns, input: memory.address(source),
          output: memory.address(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }
}

extension Lowering {
  mutating func lowerLayerNormalize(
    _ parameters: LayerNormalization, _ node: Node
  ) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let columns = shape(input).extents.last ?? 0
    guard type(input).dataType == .float32, type(output).dataType == .float32, columns > 0 else {
      throw unsupported(node)
    }
    let kernel = table.general.layerNormalize
    let source = source(input)
    let (factors, offsets) = (
      try self.source(node, 1, .float32), try self.source(node, 2, .float32)
    )
    let destination = try destination(output, overwriting: [input])
    add(
      Step(
        description: description(node, "layerNormalize"),
        split: WorkSplit(
          units: elements(input) / columns,
          costNanoseconds: costNanoseconds(elements(input), perNanosecond: 4))
      ) { memory in
        let arguments = unsafe LayerNormalizationArguments(
          epsilon: parameters.epsilon, subtractsMeanFirst: parameters.subtractsMeanFirst,
          columns: columns, input: memory.address(source),
          factors: factors.map { unsafe memory.address($0) },
          offsets: offsets.map { unsafe memory.address($0) }, output: memory.address(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }
}

extension ReductionOperation {
  /// Whether the general kernel computes it on elements of this type.
  fileprivate func takes(_ type: DataType) -> Bool {
    switch type {
    case .bool: self == .any || self == .all
    case .float32, .int8, .uint8, .int16, .int32, .int64: self != .any && self != .all
    default: false
    }
  }
}
