import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  /// A layer over features and time in float32 with weights of codes: features as a product of codes, time in float32.
  mutating func lowerSVDFHybrid(_ svdf: SVDF, _ node: Node) throws(RuntimeError) {
    let sizes = try sizes(svdf, node)
    let scheme = try perTensorQuantization(try operand(node, 1), of: node)
    guard scheme.zeroPoint == 0 else { throw unsupported(node) }
    let rows = try lowerQuantizeRows(
      node, try operand(node, 0), rows: sizes.batches, isSymmetric: !svdf.quantizesAsymmetrically)
    let products = temporary(byteCount: sizes.batches * sizes.filters * 4)
    try addBlockProduct(
      BlockProductForm(
        rows: sizes.batches, depth: sizes.inputs, columns: sizes.filters, blockSize: sizes.inputs),
      node, rows, scales: [Float](repeating: scheme.scale, count: sizes.filters), bias: nil,
      bounds: OutputBoundsFloat32(), to: products)
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
