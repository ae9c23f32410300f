import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  /// float32 activations and weights.
  mutating func lowerFloat32(_ product: Product) throws(RuntimeError) {
    let (node, geometry) = (product.node, product.geometry)
    let isConvolution = product.kind == .convolution
    let input = try operand(node, 0)
    let bounds = try boundsFloat32(product.activation, of: node)
    if let bias = node.input(2) {
      guard type(bias).dataType == .float32 else { throw unsupported(node) }
    }
    let (weights, panels) = packFloat32(product)
    let kernel = isConvolution ? table.convolutionFloat32 : table.depthwiseFloat32
    let (source, destination) = (source(input), try destination(node.outputs[0]))
    let (split, byRows) = product.work(
      threads: threads, tileRows: isConvolution ? table.float32Tile.rows : 1, panels: panels,
      rate: isConvolution ? 8 : 3)
    needScratch(
      bytesPerThread: isConvolution
        ? table.convolutionFloat32ScratchBytes(geometry) : table.depthwiseFloat32ScratchBytes(geometry))
    add(
      Step(
        description: description(
          node, isConvolution ? "convolutionFloat32" : "depthwiseFloat32",
          multiplyAccumulates: product.multiplyAccumulates),
        split: split
      ) { memory in
        let arguments = unsafe ConvolutionFloat32Arguments(
          geometry: geometry, input: memory.address(source),
          weights: UnsafeRawPointer(memory.address(.packed(weights), as: UInt8.self)),
          output: memory.address(destination), bounds: bounds,
          scratch: memory.scratch(ofThread: 0))
        return { range, thread in
          var arguments = arguments
          unsafe arguments.scratch = memory.scratch(ofThread: thread)
          kernel(
            arguments,
            Product.range(range, byRows: byRows, rows: geometry.outputRows, panels: panels))
        }
      })
  }

  private mutating func packFloat32(_ product: Product) -> (PackedID, panels: Int) {
    let geometry = product.geometry
    let isConvolution = product.kind == .convolution
    let (byteCount, panels) =
      isConvolution
      ? (
        table.convolutionFloat32Weights(geometry).byteCount,
        table.convolutionFloat32Weights(geometry).panels
      )
      : (
        table.depthwiseFloat32Weights(geometry).byteCount,
        table.depthwiseFloat32Weights(geometry).panels
      )
    let kernel = isConvolution ? table.packConvolutionFloat32 : table.packDepthwiseFloat32
    let (weights, bias, depth) = (product.weights, product.bias, product.depth)
    let packed = unsafe PackedConstant(byteCount: byteCount) { destination in
      unsafe kernel(
        PackFloat32Arguments(
          weights: weights.address(), outputChannels: geometry.outputChannels, depth: depth,
          bias: bias?.address(), destination: destination))
    }
    return (pack(packed), panels)
  }
}
