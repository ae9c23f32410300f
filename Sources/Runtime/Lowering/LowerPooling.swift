import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  mutating func lowerPool2D(_ parameters: Pool2D, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let geometry = try geometry(
      parameters.window, input: shape(input), height: parameters.height, width: parameters.width,
      output: shape(output), node)
    let split = WorkSplit(
      units: geometry.outputRows,
      costNanoseconds: costNanoseconds(
        geometry.outputRows, geometry.outputChannels, geometry.taps, perNanosecond: 4))
    let isAverage = parameters.kind == .average
    switch (type(input).dataType, type(output).dataType) {
    case (.int8, .int8):
      guard type(input).quantization == type(output).quantization else { throw unsupported(node) }
      let bounds = try boundsInt8(parameters.activation, output, of: node)
      let kernel = isAverage ? table.averagePoolInt8 : table.maximumPoolInt8
      let (source, destination) = (source(input), try destination(output))
      add(
        Step(
          description: description(node, isAverage ? "averagePoolInt8" : "maximumPoolInt8"),
          split: split
        ) { memory in
          let arguments = unsafe PoolingInt8Arguments(
            geometry: geometry, input: memory.address(source), output: memory.address(destination),
            minimum: Int8(bounds.minimum), maximum: Int8(bounds.maximum),
            roundsUp: parameters.roundsUp)
          return { range, _ in kernel(arguments, range) }
        })
    case (.float32, .float32):
      let bounds = try boundsFloat32(parameters.activation, of: node)
      let kernel = isAverage ? table.averagePoolFloat32 : table.maximumPoolFloat32
      let (source, destination) = (source(input), try destination(output))
      add(
        Step(
          description: description(node, isAverage ? "averagePoolFloat32" : "maximumPoolFloat32"),
          split: split
        ) { memory in
          let arguments = unsafe PoolingFloat32Arguments(
            geometry: geometry, input: memory.address(source), output: memory.address(destination),
            bounds: bounds)
          return { range, _ in kernel(arguments, range) }
        })
    default: throw unsupported(node)
    }
  }

  mutating func lowerReduce(_ parameters: Reduce, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    guard
      parameters.kind == .mean, let axes = parameters.axes,
      let reduction = ReductionShape(shape(input), axes: axes), reduction.reduced >= 1
    else {
      try lowerReduceElements(parameters, node)
      return
    }
    let split = WorkSplit(
      units: reduction.outer,
      costNanoseconds: costNanoseconds(elements(input), perNanosecond: 4))
    switch (parameters.kind, type(input).dataType, type(output).dataType) {
    case (.mean, .int8, .int8):
      let quantization = try perTensorQuantization(input, of: node)
      let outputScale = try perTensorQuantization(output, of: node).scale
      let bounds = try boundsInt8(.none, output, of: node)
      let scale = FixedPointScale(
        Double(quantization.scale) / Double(outputScale), dividedBy: max(reduction.reduced, 1))
      let kernel = table.meanInt8
      let (source, destination) = (source(input), try destination(output))
      add(
        Step(description: description(node, "meanInt8"), split: split) { memory in
          let arguments = unsafe MeanInt8Arguments(
            shape: reduction, input: memory.address(source),
            inputZeroPoint: quantization.zeroPoint, scale: scale, bounds: bounds,
            output: memory.address(destination))
          return { range, _ in kernel(arguments, range) }
        })
    case (.mean, .int16, .int16):
      try lowerMeanInt16(node, input, output, reduction, split)
    case (.mean, .float32, .float32):
      let kernel = table.meanFloat32
      let (source, destination) = (source(input), try destination(output))
      add(
        Step(description: description(node, "meanFloat32"), split: split) { memory in
          let arguments = unsafe MeanFloat32Arguments(
            shape: reduction, input: memory.address(source), output: memory.address(destination))
          return { range, _ in kernel(arguments, range) }
        })
    default: try lowerReduceElements(parameters, node)
    }
  }
}

extension ReductionShape {
  /// A shape whose reduced axes are neighbours, but for axes of extent 1; nil when they are not.
  init?(_ shape: Shape, axes: [Int]) {
    var isReduced = [Bool](repeating: false, count: shape.rank)
    for axis in axes {
      let axis = axis < 0 ? axis + shape.rank : axis
      guard isReduced.indices.contains(axis) else { return nil }
      isReduced[axis] = true
    }
    self.init(outer: 1, reduced: 1, inner: 1)
    var hasReduced = false
    for (extent, reduced) in zip(shape.extents, isReduced) where extent != 1 {
      switch (reduced, hasReduced) {
      case (false, false): outer *= extent
      case (true, _):
        guard inner == 1 else { return nil }
        hasReduced = true
        self.reduced *= extent
      case (false, true): inner *= extent
      }
    }
  }
}
