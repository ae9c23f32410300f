import KernelInterface
import ModelGraph
import Tensors

/// Operators that hardly any model has.
extension Lowering {
  mutating func lowerConvolution3D(
    _ parameters: Convolution3D, _ node: Node
  ) throws(RuntimeError) {
    let (input, weights) = (try operand(node, 0), try operand(node, 1))
    let output = node.outputs[0]
    let (from, kernel, to) = (shape(input), shape(weights), shape(output))
    guard
      let (plane, depth) = parameters.geometry(
        input: Array((parameters.isTransposed ? to : from).extents[1...3]),
        kernel: Array(kernel.extents[..<3]))
    else { throw unsupported(node) }
    let window = parameters.window
    let stride = SIMD4(parameters.strideDepth, window.strideHeight, window.strideWidth, 0)
    let dilation = SIMD4(parameters.dilationDepth, window.dilationHeight, window.dilationWidth, 0)
    let before = SIMD4(depth.top, plane.top, plane.left, 0)
    let bounds = try boundsFloat32(parameters.activation, of: node)
    let places = (source(input), source(weights), node.input(2).map { source($0) })
    let destination = try destination(output)
    let taps = kernel.extents.dropLast().reduce(1, *)
    let products = elements(output) * taps
    let run = table.general.rare.convolution3DFloat32
    add(
      Step(
        description: description(node, "convolution3DFloat32", multiplyAccumulates: products),
        split: WorkSplit(
          units: elements(output) / max(to[4], 1),
          costNanoseconds: costNanoseconds(products, perNanosecond: 6))
      ) { memory in
        let arguments = unsafe Convolution3DArguments(
          input: SIMD4(from[1], from[2], from[3], 0),
          kernel: SIMD4(kernel[0], kernel[1], kernel[2], 0),
          output: SIMD4(to[1], to[2], to[3], 0), stride: stride, dilation: dilation,
          before: before, inputChannels: from[4], outputChannels: to[4],
          isTransposed: parameters.isTransposed, bounds: bounds,
          activations: memory.address(places.0), weights: memory.address(places.1),
          bias: places.2.map { unsafe memory.address($0) }, result: memory.address(destination))
        return { range, _ in run(arguments, range) }
      })
  }

  mutating func lowerSegment(_ parameters: Segment, _ node: Node) throws(RuntimeError) {
    let (input, numbers) = (try operand(node, 0), try operand(node, 1))
    let operation: SegmentOperation =
      switch parameters.kind {
      case .sum: .sum
      case .product: .product
      case .maximum: .maximum
      case .minimum: .minimum
      }
    let (slices, segments) = (shape(input)[0], shape(node.outputs[0])[0])
    let inner = shape(input).extents.dropFirst().reduce(1, *)
    let (dataType, isWide) = (type(input).dataType, type(numbers).dataType == .int64)
    let kernel = table.general.rare.foldSegments
    let places = (source(input), source(numbers))
    let destination = try destination(node.outputs[0])
    add(
      Step(
        description: description(node, "foldSegments"),
        split: .whole(costNanoseconds: costNanoseconds(slices, inner, perNanosecond: 1))
      ) { memory in
        let arguments = unsafe SegmentArguments(
          operation: operation, type: dataType, slices: slices, segments: segments, inner: inner,
          hasWideNumbers: isWide, numbers: memory.raw(places.1), input: memory.raw(places.0),
          output: memory.raw(destination))
        return { _, _ in kernel(arguments) }
      })
  }

  mutating func lowerBucketize(_ parameters: Bucketize, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let bounds = pack(PackedConstant(parameters.bounds))
    let (dataType, size) = (type(input).dataType, type(input).dataType.bitWidth / 8)
    let kernel = table.general.rare.bucketize
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "bucketize"),
        split: split(elements(output), perNanosecond: 0.1)
      ) { memory in
        let arguments = unsafe BucketArguments(
          type: dataType, count: 0, boundCount: parameters.bounds.count,
          bounds: memory.address(.packed(bounds)), input: memory.raw(source),
          output: memory.address(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound * size
          unsafe call.output += range.lowerBound
          kernel(call)
        }
      })
  }

  mutating func lowerSelectBoxes(_ parameters: SelectBoxes, _ node: Node) throws(RuntimeError) {
    let (boxes, limit) = (shape(try operand(node, 0))[0], shape(node.outputs[0])[0])
    var places: [Source] = []
    for index in [0, 1, 3, 4] + (parameters.isScored ? [5] : []) {
      places.append(source(try operand(node, index)))
    }
    let scratch = temporary(
      byteCount: SelectBoxesArguments.scratchBytes(boxes: boxes), steps: 0)
    var results: [BufferID] = []
    for output in node.outputs { results.append(try destination(output)) }
    let (kernel, sources, outputs) = (table.general.rare.selectBoxes, places, results)
    let isScored = parameters.isScored
    add(
      Step(
        description: description(node, "selectBoxes"),
        split: .whole(costNanoseconds: costNanoseconds(boxes, limit, perNanosecond: 0.5))
      ) { memory in
        let arguments = unsafe SelectBoxesArguments(
          boxes: boxes, limit: limit, corners: memory.address(sources[0]),
          scores: memory.address(sources[1]), overlapThreshold: memory.address(sources[2]),
          scoreThreshold: memory.address(sources[3]),
          decay: isScored ? memory.address(sources[4]) : nil, scratch: memory.raw(scratch),
          indices: memory.address(outputs[0]),
          selectedScores: isScored ? memory.address(outputs[1]) : nil,
          selectedCount: memory.address(outputs[isScored ? 2 : 1]))
        return { _, _ in kernel(arguments) }
      })
  }

  mutating func lowerDiagonal(_ node: Node) throws(RuntimeError) {
    let result = shape(node.outputs[0])
    try checkMoves(node.inputs.compactMap { $0 }, node)
    let (rows, columns) = (result[result.rank - 2], result[result.rank - 1])
    let matrices = result.extents.dropLast(2).reduce(1, *)
    let elementBytes = type(node.outputs[0]).dataType.bitWidth / 8
    let input = node.inputs.count > 1 ? source(try operand(node, 0)) : nil
    let diagonal = source(try operand(node, node.inputs.count - 1))
    let kernel = table.general.rare.putDiagonal
    let destination = try destination(node.outputs[0])
    add(
      Step(
        description: description(node, "putDiagonal"),
        split: .whole(costNanoseconds: costNanoseconds(elements(node.outputs[0]), perNanosecond: 2))
      ) { memory in
        let arguments = unsafe DiagonalArguments(
          matrices: matrices, rows: rows, columns: columns, elementBytes: elementBytes,
          input: input.map { unsafe memory.raw($0) }, diagonal: memory.raw(diagonal),
          output: memory.raw(destination))
        return { _, _ in kernel(arguments) }
      })
  }
}
