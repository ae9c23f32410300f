import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  /// int8 activations and weights to int8; uint8 weights with a zero point of their own are brought to int8 codes.
  mutating func lowerInt8(_ product: Product) throws(RuntimeError) {
    let (node, geometry) = (product.node, product.geometry)
    let input = try operand(node, 0)
    let inputQuantization = try perTensorQuantization(input, of: node)
    let bounds = try boundsInt8(product.activation, node.outputs[0], of: node)
    let weightZeroPoint = try weightZeroPoint(product)
    let weightScales = try weightScales(product)
    if let bias = node.input(2) {
      guard type(bias).dataType == .int32 else { throw unsupported(node) }
    }
    let outputScale = try perTensorQuantization(node.outputs[0], of: node).scale
    let scales = outputScales(
      product, input: inputQuantization.scale, weights: weightScales, output: outputScale)
    let (weights, panels) = try packInt8(
      product, scales: scales.map(\.scale), tieOffsets: scales.map(\.tieOffset),
      weightZeroPoint: weightZeroPoint, inputZeroPoint: inputQuantization.zeroPoint)
    let kernel = product.kind == .convolution ? table.convolutionInt8 : table.depthwiseInt8
    let (source, destination) = (source(input), try destination(node.outputs[0]))
    let (split, byRows) = product.work(
      threads: threads, tileRows: product.kind == .convolution ? table.int8Tile.rows : 1,
      panels: panels, rate: product.kind == .convolution ? 12 : 4)
    let zeroPoint = Int8(inputQuantization.zeroPoint)
    let scalesAreBelowHalf = scales.allSatisfy { $0.scale < 0.5 }
    needScratch(bytesPerThread: scratchInt8(product))
    add(
      Step(
        description: description(
          node, product.kind == .convolution ? "convolutionInt8" : "depthwiseInt8",
          multiplyAccumulates: product.multiplyAccumulates),
        split: split
      ) { memory in
        let arguments = unsafe ConvolutionInt8Arguments(
          geometry: geometry, input: memory.address(source),
          weights: UnsafeRawPointer(memory.address(weights, as: UInt8.self)),
          output: memory.address(destination), inputZeroPoint: zeroPoint,
          weightZeroPoint: weightZeroPoint, bounds: bounds, scalesAreBelowHalf: scalesAreBelowHalf,
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

  /// The zero point of the weights as int8 codes: 0, but for uint8 weights of one scale.
  func weightZeroPoint(_ product: Product) throws(RuntimeError) -> Int32 {
    let weights = type(try operand(product.node, 1))
    guard let zeroPoints = weights.quantization?.zeroPoints, let first = zeroPoints.first,
      zeroPoints.allSatisfy({ $0 == first })
    else { throw unsupported(product.node) }
    return weights.dataType == .uint8 ? first - 128 : first
  }

  /// The weights' scales, one or one for each output channel.
  func weightScales(_ product: Product) throws(RuntimeError) -> [Float] {
    let weights = try operand(product.node, 1)
    let channelAxis = product.kind == .convolution ? 0 : 3
    guard
      let quantization = type(weights).quantization,
      quantization.scales.allSatisfy({ $0.isFinite }),
      quantization.scales.count == 1
        || (quantization.scales.count == product.geometry.outputChannels
          && quantization.axis == channelAxis)
    else { throw unsupported(product.node) }
    return quantization.scales
  }

  func scratchInt8(_ product: Product) -> Int {
    product.kind == .convolution
      ? table.convolutionInt8ScratchBytes(product.geometry)
      : table.depthwiseInt8ScratchBytes(product.geometry)
  }

  /// Packs for an int8 output, or for a float output where the zero point differs from row to row.
  mutating func packInt8(
    _ product: Product, scales: [Float], tieOffsets: [Float] = [], weightZeroPoint: Int32 = 0,
    inputZeroPoint: Int32?
  ) throws(RuntimeError) -> (Source, panels: Int) {
    let geometry = product.geometry
    let (byteCount, panels) =
      product.kind == .convolution
      ? (
        table.convolutionInt8Weights(geometry).byteCount,
        table.convolutionInt8Weights(geometry).panels
      )
      : (
        table.depthwiseInt8Weights(geometry).byteCount, table.depthwiseInt8Weights(geometry).panels
      )
    let kernel = product.kind == .convolution ? table.packConvolutionInt8 : table.packDepthwiseInt8
    guard !product.isComputed, let source = product.weights else {
      guard let inputZeroPoint else { throw unsupported(product.node) }
      let place = try packComputedInt8(
        product, scales: scales, tieOffsets: tieOffsets, weightZeroPoint: weightZeroPoint,
        inputZeroPoint: inputZeroPoint, byteCount: byteCount, with: kernel)
      return (place, panels)
    }
    let (bias, depth, lines) = (product.bias, product.depth, product.lines)
    let isUnsigned = product.node.input(1).map { type($0).dataType == .uint8 } ?? false
    let packed = unsafe PackedConstant(byteCount: byteCount, canBeMapped: true) { destination in
      let weights = isUnsigned ? source.withHighBitsFlipped : source
      unsafe scales.withUnsafeBufferPointer { scales in
        if let inputZeroPoint {
          unsafe tieOffsets.withUnsafeBufferPointer { ties in
            unsafe kernel(
              PackInt8Arguments(
                weights: weights.address(), outputChannels: geometry.outputChannels, depth: depth,
                lines: lines, scales: scales, tieOffsets: ties, weightZeroPoint: weightZeroPoint,
                bias: bias?.address(), inputZeroPoint: inputZeroPoint, destination: destination))
          }
        } else {
          unsafe kernel(
            PackInt8Arguments(
              weights: weights.address(), outputChannels: geometry.outputChannels, depth: depth,
              lines: lines, weightScales: scales, floatBias: bias?.address(), destination: destination))
        }
      }
    }
    return (.packed(pack(packed)), panels)
  }

  /// Adds a step that packs weights or a bias that are computed.
  private mutating func packComputedInt8(
    _ product: Product, scales: [Float], tieOffsets: [Float], weightZeroPoint: Int32,
    inputZeroPoint: Int32, byteCount: Int, with kernel: @escaping @Sendable (PackInt8Arguments) -> Void
  ) throws(RuntimeError) -> Source {
    let (node, channels) = (product.node, product.geometry.outputChannels)
    let (depth, lines) = (product.depth, product.lines)
    guard type(try operand(node, 1)).dataType == .int8 else { throw unsupported(node) }
    let count = scales.count
    let numbers = pack(PackedConstant(scales + tieOffsets))
    let weights = source(try operand(node, 1))
    let bias = node.input(2).map { source($0) }
    let place = temporary(byteCount: byteCount)
    add(
      Step(
        description: description(node, "packInt8"),
        split: .whole(costNanoseconds: costNanoseconds(channels, depth, perNanosecond: 1))
      ) { memory in
        let first = unsafe memory.address(.packed(numbers), as: Float.self)
        let arguments = unsafe PackInt8Arguments(
          weights: memory.address(weights), outputChannels: channels, depth: depth, lines: lines,
          scales: UnsafeBufferPointer(start: first, count: count),
          tieOffsets: UnsafeBufferPointer(start: first + count, count: count),
          weightZeroPoint: weightZeroPoint, bias: bias.map { unsafe memory.address($0) },
          inputZeroPoint: inputZeroPoint,
          destination: UnsafeMutableRawPointer(memory.address(place, as: UInt8.self)))
        return { _, _ in kernel(arguments) }
      })
    return .buffer(place)
  }
}
