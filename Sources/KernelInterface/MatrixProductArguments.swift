package import Tensors

/// Products of matrices `[rows, depth]` and `[depth, columns]` over batch axes that broadcast.
///
/// Strides count elements. The output is dense, the batch axes before `[rows, columns]`. The maker vouches for the
/// pointers.
@safe package struct MatrixProductArguments {
  /// Of both operands and the output: float32 or int16.
  package var type: DataType
  package var rows: Int
  package var columns: Int
  package var depth: Int
  /// Batch axes, outermost first; unused axes come first, with extent 1.
  package var batch: SIMD8<Int>
  package var left: MatrixOperand
  package var right: MatrixOperand
  /// Int16 codes: the ratio of the operands' scales multiplied to the output's.
  package var scale: OutputScaleInt16
  package var output: UnsafeMutableRawPointer

  package init(
    type: DataType, rows: Int, columns: Int, depth: Int, batch: SIMD8<Int>, left: MatrixOperand,
    right: MatrixOperand, scale: OutputScaleInt16 = OutputScaleInt16(1, isNarrow: true),
    output: UnsafeMutableRawPointer
  ) {
    self.type = type
    self.rows = rows
    self.columns = columns
    self.depth = depth
    self.batch = batch
    self.left = left
    self.right = right
    self.scale = scale
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

  package init(
    elements: UnsafeRawPointer, batchStrides: SIMD8<Int>, rowStride: Int, columnStride: Int
  ) {
    unsafe self.elements = elements
    self.batchStrides = batchStrides
    self.rowStride = rowStride
    self.columnStride = columnStride
  }
}
