import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

/// Products of rows that are quantised at run time and weights with a scale for each block of a row (dynamic range).
extension Lowering {
  /// A fully connected layer on float32.
  mutating func lowerBlockProduct(
    _ parameters: FullyConnected, blockSize: Int, _ node: Node
  ) throws(RuntimeError) {
    let (input, weights) = (try operand(node, 0), try operand(node, 1))
    guard let scheme = type(weights).quantization else { throw unsupported(node) }
    let form = BlockProductForm(
      rows: elements(input) / shape(weights)[1], depth: shape(weights)[1],
      columns: shape(weights)[0], blockSize: blockSize)
    let rows = try lowerQuantizeRows(node, input, rows: form.rows, isSymmetric: false)
    try addBlockProduct(
      form, node, rows, scales: scheme.scales, bias: source(node, 2, .float32),
      bounds: boundsFloat32(parameters.activation, of: node),
      to: destination(node.outputs[0]))
  }

  /// Multiplies quantised rows with the constant int8 matrix that is the node's operand 1.
  ///
  /// - Parameter scales: `[columns, depth / blockSize]`.
  mutating func addBlockProduct(
    _ form: BlockProductForm, _ node: Node, _ rows: QuantizedRows, scales: [Float],
    bias: Source?, bounds: OutputBoundsFloat32, to output: BufferID
  ) throws(RuntimeError) {
    let weights = try operand(node, 1)
    guard form.depth % form.blockSize == 0, scales.count == form.columns * form.blocks,
      let codes = graph[weights].constant?.array, codes.count == form.columns * form.depth
    else { throw unsupported(node) }
    let sums = (0..<form.columns).map { column in
      (0..<form.blocks).reduce(Float(0)) { sum, block in
        let first = column * form.depth + block * form.blockSize
        let codes = codes[first..<first + form.blockSize].reduce(Int32(0)) {
          $0 + Int32(Int8(bitPattern: $1))
        }
        return sum + scales[column * form.blocks + block] * Float(codes)
      }
    }
    let constants = (pack(PackedConstant(scales)), pack(PackedConstant(sums)))
    let (matrix, kernel) = (source(weights), table.general.rare.blockProduct)
    let work = form.rows * form.columns * form.depth
    add(
      Step(
        description: description(node, "blockProduct", multiplyAccumulates: work),
        split: WorkSplit(
          units: form.columns, costNanoseconds: costNanoseconds(work, perNanosecond: 8))
      ) { memory in
        let arguments = unsafe BlockProductArguments(
          rows: form.rows, depth: form.depth, columns: form.columns, blockSize: form.blockSize,
          input: UnsafePointer(memory.address(rows.codes)),
          rowScales: UnsafePointer(memory.address(rows.scales)),
          rowZeroPoints: UnsafePointer(memory.address(rows.zeroPoints)),
          weights: memory.address(matrix), scales: memory.address(.packed(constants.0)),
          sums: memory.address(.packed(constants.1)),
          bias: bias.map { unsafe memory.address($0) }, bounds: bounds,
          output: memory.address(output))
        return { range, _ in kernel(arguments, range) }
      })
  }
}

/// The extents of a product by blocks.
struct BlockProductForm: Sendable {
  var rows: Int
  var depth: Int
  var columns: Int
  var blockSize: Int

  var blocks: Int { depth / blockSize }
}
