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
    let (weights, panels) = try packFloat32(product)
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
          weights: UnsafeRawPointer(memory.address(weights, as: UInt8.self)),
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

  private mutating func packFloat32(
    _ product: Product
  ) throws(RuntimeError) -> (Source, panels: Int) {
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
    guard !product.isComputed, let weights = product.weights else {
      return (try packComputedFloat32(product, byteCount: byteCount, with: kernel), panels)
    }
    let (bias, depth) = (product.bias, product.depth)
    let packed = unsafe PackedConstant(byteCount: byteCount, canBeMapped: true) { destination in
      unsafe kernel(
        PackFloat32Arguments(
          weights: weights.address(), outputChannels: geometry.outputChannels, depth: depth,
          bias: bias?.address(), destination: destination))
    }
    return (.packed(pack(packed)), panels)
  }

  /// Adds a step that packs weights or a bias that are computed.
  private mutating func packComputedFloat32(
    _ product: Product, byteCount: Int, with kernel: @escaping @Sendable (PackFloat32Arguments) -> Void
  ) throws(RuntimeError) -> Source {
    let (node, channels, depth) = (
      product.node, product.geometry.outputChannels, product.depth
    )
    let weights = source(try operand(node, 1))
    let bias = node.input(2).map { source($0) }
    let place = temporary(byteCount: byteCount)
    add(
      Step(
        description: description(node, "packFloat32"),
        split: .whole(costNanoseconds: costNanoseconds(channels, depth, perNanosecond: 1))
      ) { memory in
        let arguments = unsafe PackFloat32Arguments(
          weights: memory.address(weights), outputChannels: channels, depth: depth,
          bias: bias.map { unsafe memory.address($0) },
          destination: UnsafeMutableRawPointer(memory.address(place, as: UInt8.self)))
        return { _, _ in kernel(arguments) }
      })
    return .buffer(place)
  }
}
