package import Tensors

/// Products of matrices `[rows, depth]` and `[depth, columns]` over batch axes that broadcast.
///
/// Strides count elements. The output is dense, the batch axes before `[rows, columns]`. The maker vouches for the
/// pointers.
@safe package struct MatrixProductArguments {
  /// Of both operands and the output: float32 or int8.
  package var type: DataType
  package var rows: Int
  package var columns: Int
  package var depth: Int
  /// Batch axes, outermost first; unused axes come first, with extent 1.
  package var batch: SIMD8<Int>
  package var left: MatrixOperand
  package var right: MatrixOperand
  /// Int8 codes: the ratio of the operands' scales multiplied to the output's.
  package var scale: FixedPointScale
  /// The same of int16 codes.
  package var wideScale: OutputScaleInt16
  package var bounds: OutputBoundsInt8
  package var output: UnsafeMutableRawPointer

  package init(
    type: DataType, rows: Int, columns: Int, depth: Int, batch: SIMD8<Int>, left: MatrixOperand,
    right: MatrixOperand, scale: FixedPointScale = FixedPointScale(1),
    wideScale: OutputScaleInt16 = OutputScaleInt16(1, isNarrow: true),
    bounds: OutputBoundsInt8 = OutputBoundsInt8(zeroPoint: 0), output: UnsafeMutableRawPointer
  ) {
    self.type = type
    self.rows = rows
    self.columns = columns
    self.depth = depth
    self.batch = batch
    self.left = left
    self.right = right
    self.scale = scale
    self.wideScale = wideScale
    self.bounds = bounds
    unsafe self.output = output
  }
}

/// Where the elements of one operand's matrices are.
@safe package struct MatrixOperand {
  /// The first element of the first matrix.
  package var elements: UnsafeRawPointer
  /// Elements from one matrix to the next along each batch axis; 0 repeats.
  package var batchStrides: SIMD8<Int>
  package var rowStride: Int
  package var columnStride: Int
  /// The code of zero; 0 for float32.
  package var zeroPoint: Int32

  package init(
    elements: UnsafeRawPointer, batchStrides: SIMD8<Int>, rowStride: Int, columnStride: Int,
    zeroPoint: Int32 = 0
  ) {
    unsafe self.elements = elements
    self.batchStrides = batchStrides
    self.rowStride = rowStride
    self.columnStride = columnStride
    self.zeroPoint = zeroPoint
  }
}
