import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  /// A fully connected layer on float32 whose weights have a scale for each block of a row (dynamic range).
  mutating func lowerBlockProduct(
    _ parameters: FullyConnected, blockSize: Int, _ node: Node
  ) throws(RuntimeError) {
    let (input, weights) = (try operand(node, 0), try operand(node, 1))
    let (columns, depth) = (shape(weights)[0], shape(weights)[1])
    guard let scheme = type(weights).quantization, depth % blockSize == 0,
      scheme.scales.count == columns * (depth / blockSize),
      let codes = graph[weights].constant?.array, codes.count == columns * depth
    else { throw unsupported(node) }
    let sums = (0..<columns).map { column -> Float in
      (0..<depth / blockSize).reduce(Float(0)) { sum, block in
        let first = column * depth + block * blockSize
        let codes = codes[first..<first + blockSize].reduce(Int32(0)) {
          $0 + Int32(Int8(bitPattern: $1))
        }
        return sum + scheme.scales[column * (depth / blockSize) + block] * Float(codes)
      }
    }
    let rowCount = elements(input) / depth
    let rows = try lowerQuantizeRows(node, input, rows: rowCount, isSymmetric: false)
    let constants = (pack(PackedConstant(scheme.scales)), pack(PackedConstant(sums)))
    let bounds = try boundsFloat32(parameters.activation, of: node)
    let (matrix, bias) = (source(weights), try source(node, 2, .float32))
    let output = try destination(node.outputs[0])
    let kernel = table.general.rare.blockProduct
    let work = rowCount * columns * depth
    add(
      Step(
        description: description(node, "blockProduct", multiplyAccumulates: work),
        split: WorkSplit(
          units: columns, costNanoseconds: costNanoseconds(work, perNanosecond: 8))
      ) { memory in
        let arguments = unsafe BlockProductArguments(
          rows: rowCount, depth: depth, columns: columns, blockSize: blockSize,
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
