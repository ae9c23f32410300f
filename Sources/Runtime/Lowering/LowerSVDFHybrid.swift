import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  /// A layer over features and time in float32 with weights of codes: features as a product of codes, time in float32.
  mutating func lowerSVDFHybrid(_ svdf: SVDF, _ node: Node) throws(RuntimeError) {
    let sizes = try sizes(svdf, node)
    let features = try operand(node, 1)
    let scale = try perTensorQuantization(features, of: node)
    guard scale.zeroPoint == 0, let codes = graph[features].constant?.array,
      codes.count == sizes.filters * sizes.inputs
    else { throw unsupported(node) }
    let sums = (0..<sizes.filters).map { filter in
      scale.scale
        * Float(
          codes[filter * sizes.inputs..<(filter + 1) * sizes.inputs].reduce(Int32(0)) {
            $0 + Int32(Int8(bitPattern: $1))
          })
    }
    let (input, matrix) = (try operand(node, 0), source(features))
    let rows = try lowerQuantizeRows(
      node, input, rows: sizes.batches, isSymmetric: !svdf.quantizesAsymmetrically)
    let scales = pack(
      PackedConstant([Float](repeating: scale.scale, count: sizes.filters)))
    let packedSums = pack(PackedConstant(sums))
    let products = temporary(byteCount: sizes.batches * sizes.filters * 4)
    let kernel = table.general.rare.blockProduct
    let work = sizes.batches * sizes.filters * sizes.inputs
    add(
      Step(
        description: description(node, "blockProduct", multiplyAccumulates: work),
        split: WorkSplit(
          units: sizes.filters, costNanoseconds: costNanoseconds(work, perNanosecond: 8))
      ) { memory in
        let arguments = unsafe BlockProductArguments(
          rows: sizes.batches, depth: sizes.inputs, columns: sizes.filters,
          blockSize: sizes.inputs, input: UnsafePointer(memory.address(rows.codes)),
          rowScales: UnsafePointer(memory.address(rows.scales)),
          rowZeroPoints: UnsafePointer(memory.address(rows.zeroPoints)),
          weights: memory.address(matrix), scales: memory.address(.packed(scales)),
          sums: memory.address(.packed(packedSums)), bias: nil, bounds: OutputBoundsFloat32(),
          output: memory.address(products))
        return { range, _ in kernel(arguments, range) }
      })
    try addSVDFFloat32(
      svdf, node, features: nil, input: .buffer(products),
      time: .packed(pack(PackedConstant(try numbers(of: try operand(node, 2), node)))))
  }

  /// The numbers that the codes of a constant stand for.
  private func numbers(of id: ValueID, _ node: Node) throws(RuntimeError) -> [Float] {
    let scheme = try perTensorQuantization(id, of: node)
    guard type(id).dataType == .int8, let codes = graph[id].constant?.array,
      codes.count == elements(id)
    else { throw unsupported(node) }
    return codes.map { Float(Int32(Int8(bitPattern: $0)) - scheme.zeroPoint) * scheme.scale }
  }
}
