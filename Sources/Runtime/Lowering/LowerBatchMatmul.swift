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
    var (zeroPoints, scale) = ((Int32(0), Int32(0)), FixedPointScale(1))
    var bounds = OutputBoundsInt8(zeroPoint: 0)
    if dataType == .int8 {
      let schemes = (
        try perTensorQuantization(left, of: node), try perTensorQuantization(right, of: node)
      )
      zeroPoints = (schemes.0.zeroPoint, schemes.1.zeroPoint)
      // In float32, as the reference multiplies them.
      let ratio =
        Double(schemes.0.scale * schemes.1.scale)
        / Double(try perTensorQuantization(output, of: node).scale)
      guard ratio.isFinite else { throw unsupported(node) }
      scale = FixedPointScale(ratio)
      bounds = try boundsInt8(.none, output, of: node)
    }
    var wideScale = OutputScaleInt16(1, isNarrow: true)
    if dataType == .int16 {
      let ratio =
        Double(try scaleInt16(left, node) * scaleInt16(right, node))
        / Double(try scaleInt16(output, node))
      guard ratio.isFinite else { throw unsupported(node) }
      wideScale = OutputScaleInt16(ratio, isNarrow: true)
    }
    let kernel = table.general.matrixProduct
    let (source, factor, destination) = (source(left), source(right), try destination(output))
    let work = elements(output) * form.depth
    let (offset, codeScale, codeBounds, wide) = (zeroPoints, scale, bounds, wideScale)
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
            rowStride: form.left.row, columnStride: form.left.column, zeroPoint: offset.0),
          right: MatrixOperand(
            elements: memory.raw(factor), batchStrides: form.right.batch,
            rowStride: form.right.row, columnStride: form.right.column, zeroPoint: offset.1),
          scale: codeScale, wideScale: wide, bounds: codeBounds, output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
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
