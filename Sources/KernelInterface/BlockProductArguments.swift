/// A product of rows that were quantised at run time and weights with a scale for each block of a row; the maker vouches
/// for the pointers.
@safe package struct BlockProductArguments {
  package var rows: Int
  package var depth: Int
  package var columns: Int
  /// Divides `depth`.
  package var blockSize: Int
  /// `[rows, depth]`, as `quantizeRows` wrote it, with a scale and a zero point for each row.
  package var input: UnsafePointer<Int8>
  package var rowScales: UnsafePointer<Float>
  package var rowZeroPoints: UnsafePointer<Int32>
  /// `[columns, depth]`.
  package var weights: UnsafePointer<Int8>
  /// `[columns, depth / blockSize]`.
  package var scales: UnsafePointer<Float>
  /// The sum of each column's weights as numbers.
  package var sums: UnsafePointer<Float>
  package var bias: UnsafePointer<Float>?
  package var bounds: OutputBoundsFloat32
  /// `[rows, columns]`.
  package var output: UnsafeMutablePointer<Float>

  package init(
    rows: Int, depth: Int, columns: Int, blockSize: Int, input: UnsafePointer<Int8>,
    rowScales: UnsafePointer<Float>, rowZeroPoints: UnsafePointer<Int32>,
    weights: UnsafePointer<Int8>, scales: UnsafePointer<Float>, sums: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, bounds: OutputBoundsFloat32, output: UnsafeMutablePointer<Float>
  ) {
    self.rows = rows
    self.depth = depth
    self.columns = columns
    self.blockSize = blockSize
    unsafe self.input = input
    unsafe self.rowScales = rowScales
    unsafe self.rowZeroPoints = rowZeroPoints
    unsafe self.weights = weights
    unsafe self.scales = scales
    unsafe self.sums = sums
    unsafe self.bias = bias
    self.bounds = bounds
    unsafe self.output = output
  }
}
