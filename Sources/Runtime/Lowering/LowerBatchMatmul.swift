import KernelInterface
import ModelGraph
import Tensors

/// Products of matrices over leading axes that broadcast.
extension Lowering {
  mutating func lowerBatchMatmul(_ parameters: BatchMatmul, _ node: Node) throws(RuntimeError) {
    let (left, right, output) = (try operand(node, 0), try operand(node, 1), node.outputs[0])
    let dataType = type(output).dataType
    guard
      [.float32, .int8, .int16].contains(dataType), type(left).dataType == dataType,
      type(right).dataType == dataType,
      let form = MatrixProductForm(parameters, shape(left), shape(right), shape(output))
    else { throw unsupported(node) }
    if dataType == .int8 { return try lowerBatchMatmulInt8(parameters, form, node) }
    var codeScale = OutputScaleInt16(1, isNarrow: true)
    if dataType == .int16 {
      // In float32, as the reference multiplies them.
      let ratio =
        Double(try scaleInt16(left, node) * scaleInt16(right, node))
        / Double(try scaleInt16(output, node))
      guard ratio.isFinite else { throw unsupported(node) }
      codeScale = OutputScaleInt16(ratio, isNarrow: true)
    }
    let (kernel, scale) = (table.general.matrixProduct, codeScale)
    let (source, factor, destination) = (source(left), source(right), try destination(output))
    let work = elements(output) * form.depth
    add(
      Step(
        description: description(node, "matrixProduct", multiplyAccumulates: work),
        split: WorkSplit(
          units: elements(output) / form.columns,
          costNanoseconds: costNanoseconds(work, perNanosecond: 8))
      ) { memory in
        let arguments = unsafe MatrixProductArguments(
          type: dataType, rows: form.rows, columns: form.columns, depth: form.depth,
          batch: form.batch,
          left: MatrixOperand(
            elements: memory.raw(source), batchStrides: form.left.batch,
            rowStride: form.left.row, columnStride: form.left.column),
          right: MatrixOperand(
            elements: memory.raw(factor), batchStrides: form.right.batch,
            rowStride: form.right.row, columnStride: form.right.column),
          scale: scale, output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  /// Each product is a fully connected layer, whose weights are the right matrix and packed first.
  private mutating func lowerBatchMatmulInt8(
    _ parameters: BatchMatmul, _ form: MatrixProductForm, _ node: Node
  ) throws(RuntimeError) {
    let (left, output) = (try operand(node, 0), node.outputs[0])
    let schemes = (
      try perTensorQuantization(left, of: node),
      try perTensorQuantization(try operand(node, 1), of: node)
    )
    // In float32, as the reference multiplies them.
    let ratio =
      Double(schemes.0.scale * schemes.1.scale)
      / Double(try perTensorQuantization(output, of: node).scale)
    guard ratio.isFinite, form.depth > 0, form.columns > 0 else { throw unsupported(node) }
    let bounds = try boundsInt8(.none, output, of: node)
    let geometry = KernelGeometry(
      rows: form.rows, inputDepth: form.depth, outputDepth: form.columns)
    let rows = parameters.transposesLeft ? try transposed(left, node) : source(left, steps: 1)
    let matrices = try packMatrices(
      form, geometry, OutputScale(ratio, roundsTwice: true),
      zeroPoints: (schemes.0.zeroPoint, schemes.1.zeroPoint), node)
    let (kernel, destination) = (table.convolutionInt8, try destination(output))
    let panels = 0..<table.convolutionInt8Weights(geometry).panels
    let (places, matrixElements) = (form.places, form.depth * form.columns)
    let work = elements(output) * form.depth
    let tileRows = table.int8Tile.rows
    needScratch(bytesPerThread: table.convolutionInt8ScratchBytes(geometry))
    add(
      Step(
        description: description(node, "convolutionInt8", multiplyAccumulates: work),
        split: WorkSplit(
          units: elements(output) / form.columns,
          multiple: form.rows.isMultiple(of: tileRows) ? tileRows : 1,
          costNanoseconds: costNanoseconds(work, perNanosecond: 12))
      ) { memory in
        let first = unsafe ConvolutionInt8Arguments(
          geometry: geometry, input: memory.address(rows),
          weights: UnsafeRawPointer(memory.address(matrices.buffer, as: UInt8.self)),
          output: memory.address(destination), inputZeroPoint: Int8(schemes.0.zeroPoint),
          weightZeroPoint: schemes.1.zeroPoint, bounds: bounds, scalesAreBelowHalf: ratio < 0.5,
          scratch: memory.scratch(ofThread: 0))
        return { range, thread in
          var unit = range.lowerBound
          while unit < range.upperBound {
            let (batch, row) = (unit / form.rows, unit % form.rows)
            let end = min(form.rows, row + range.upperBound - unit)
            var call = first
            unsafe call.input += places[batch].left
            unsafe call.weights += places[batch].right / matrixElements * matrices.stride
            unsafe call.output += batch * form.rows * form.columns
            unsafe call.scratch = memory.scratch(ofThread: thread)
            kernel(call, WorkRange(rows: row..<end, panels: panels))
            unit += end - row
          }
        }
      })
  }

  /// Packs the right matrices for the step after, one beside the other.
  private mutating func packMatrices(
    _ form: MatrixProductForm, _ geometry: KernelGeometry, _ scale: OutputScale,
    zeroPoints: (left: Int32, right: Int32), _ node: Node
  ) throws(RuntimeError) -> (buffer: BufferID, stride: Int) {
    let right = try operand(node, 1)
    let size = form.depth * form.columns
    let count = elements(right) / size
    let stride = (table.convolutionInt8Weights(geometry).byteCount + 63) / 64 * 64
    let numbers = pack(PackedConstant([scale.scale, scale.tieOffset]))
    let (kernel, weights) = (table.packConvolutionInt8, source(right))
    let buffer = temporary(byteCount: count * stride, steps: 1)
    add(
      Step(
        description: description(node, "packInt8"),
        split: WorkSplit(
          units: count, costNanoseconds: costNanoseconds(count, size, perNanosecond: 4))
      ) { memory in
        let first = unsafe memory.address(.packed(numbers), as: Float.self)
        var arguments = unsafe PackInt8Arguments(
          weights: memory.address(weights), outputChannels: form.columns, depth: form.depth,
          lines: 1, scales: UnsafeBufferPointer(start: first, count: 1),
          tieOffsets: UnsafeBufferPointer(start: first + 1, count: 1),
          weightZeroPoint: zeroPoints.right, bias: nil, inputZeroPoint: zeroPoints.left,
          destination: UnsafeMutableRawPointer(memory.address(buffer, as: UInt8.self)))
        (arguments.channelStride, arguments.depthStride) = (form.right.column, form.right.row)
        return { [arguments] range, _ in
          for index in range {
            var call = arguments
            unsafe call.weights += index * size
            unsafe call.destination += index * stride
            kernel(call)
          }
        }
      })
    return (buffer, stride)
  }

  /// The matrices of a value with rows for columns, for the next but one step.
  private mutating func transposed(_ id: ValueID, _ node: Node) throws(RuntimeError) -> Source {
    let (rank, extents) = (shape(id).rank, shape(id).extents)
    let (lines, length) = (extents[rank - 2], extents[rank - 1])
    let buffer = temporary(byteCount: elements(id), steps: 2)
    try addStridedCopy(
      StridedCopy(
        extents: [elements(id) / (lines * length), length, lines],
        strides: [lines * length, 1, length], offset: 0),
      node, from: source(id), to: buffer, elementBytes: 1)
    return .buffer(buffer)
  }
}

/// The extents and strides of a product of matrices, in elements.
struct MatrixProductForm: Sendable, Equatable {
  struct Strides: Sendable, Equatable {
    var batch = SIMD8<Int>()
    var row = 0
    var column = 0
  }

  let rows: Int
  let columns: Int
  let depth: Int
  /// Right aligned, as the strides are.
  let batch: SIMD8<Int>
  let left: Strides
  let right: Strides

  /// Nil where an operand is no matrix or has more batch axes than the kernel takes.
  init?(_ parameters: BatchMatmul, _ left: Shape, _ right: Shape, _ output: Shape) {
    guard left.rank >= 2, right.rank >= 2, (2...10).contains(output.rank) else { return nil }
    rows = output[output.rank - 2]
    columns = output[output.rank - 1]
    depth = left[left.rank - (parameters.transposesLeft ? 2 : 1)]
    var batch = SIMD8<Int>(repeating: 1)
    for (index, extent) in output.extents.dropLast(2).enumerated() {
      batch[8 - (output.rank - 2) + index] = extent
    }
    self.batch = batch
    self.left = Self.strides(of: left, isTransposed: parameters.transposesLeft)
    self.right = Self.strides(of: right, isTransposed: parameters.transposesRight)
  }

  /// Where each product's operands begin, in elements.
  var places: [(left: Int, right: Int)] {
    (0..<(0..<8).reduce(1) { $0 * batch[$1] }).map { index in
      var (rest, left, right) = (index, 0, 0)
      for axis in (0..<8).reversed() {
        let place = rest % batch[axis]
        left += place * self.left.batch[axis]
        right += place * self.right.batch[axis]
        rest /= batch[axis]
      }
      return (left, right)
    }
  }

  private static func strides(of shape: Shape, isTransposed: Bool) -> Strides {
    let line = shape[shape.rank - 1]
    var strides = Strides()
    (strides.row, strides.column) = isTransposed ? (1, line) : (line, 1)
    var stride = line * shape[shape.rank - 2]
    for axis in 0..<(shape.rank - 2) {
      let index = shape.rank - 3 - axis
      strides.batch[7 - axis] = shape[index] == 1 ? 0 : stride
      stride *= shape[index]
    }
    return strides
  }
}
