import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  /// int16 activations and int8 weights to int16.
  mutating func lowerInt16(_ product: Product) throws(RuntimeError) {
    let (node, geometry) = (product.node, product.geometry)
    let isConvolution = product.kind == .convolution
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let (inputScale, outputScale) = (try scaleInt16(input, node), try scaleInt16(output, node))
    let bounds = try boundsInt16(product.activation, output, of: node)
    let weightScales = try weightScales(product)
    // Sums of a depthwise window stay within 32 bits.
    guard try weightZeroPoint(product) == 0, isConvolution || geometry.taps <= 256 else {
      throw unsupported(node)
    }
    let isFullyConnected = if case .fullyConnected = node.operation { true } else { false }
    let scales = outputRatios(product, input: inputScale, weights: weightScales, output: outputScale)
      .map { OutputScaleInt16($0, isNarrow: !isFullyConnected) }
    let padded = (geometry.outputChannels + 15) / 16 * 16
    let multipliers = pack(PackedConstant(spread(scales.map(\.multiplier), padded, filler: 0)))
    let shifts = pack(PackedConstant(spread(scales.map(\.shift), padded, filler: 1)))
    let bias = pack(PackedConstant(try biasInt64(product, padded)))
    guard let codes = product.weights else { throw unsupported(node) }
    let weights = packInt16(product, codes)
    let (source, destination) = (source(input), try destination(output))
    let (kernel, depthwise) = (table.int16.convolution, table.int16.depthwise)
    let panels = isConvolution ? padded / 16 : 1
    let (split, byRows) = product.work(
      threads: threads, tileRows: isConvolution ? ConvolutionInt16Arguments.rows : 1,
      panels: panels, rate: 3)
    needScratch(
      bytesPerThread: isConvolution
        ? ConvolutionInt16Arguments.convolutionScratchBytes(geometry)
        : ConvolutionInt16Arguments.depthwiseScratchBytes(geometry))
    add(
      Step(
        description: description(
          node, isConvolution ? "convolutionInt16" : "depthwiseInt16",
          multiplyAccumulates: product.multiplyAccumulates),
        split: split
      ) { memory in
        let arguments = unsafe ConvolutionInt16Arguments(
          geometry: geometry, input: memory.address(source),
          weights: memory.address(.packed(weights)), bias: memory.address(.packed(bias)),
          multipliers: memory.address(.packed(multipliers)),
          shifts: memory.address(.packed(shifts)), minimum: bounds.minimum,
          maximum: bounds.maximum, output: memory.address(destination),
          scratch: memory.scratch(ofThread: 0))
        return { range, thread in
          var arguments = arguments
          unsafe arguments.scratch = memory.scratch(ofThread: thread)
          if isConvolution {
            kernel(
              arguments,
              Product.range(range, byRows: byRows, rows: geometry.outputRows, panels: panels))
          } else {
            depthwise(arguments, range)
          }
        }
      })
  }

  /// The scale of an int16 value, whose zero point is 0.
  func scaleInt16(_ id: ValueID, _ node: Node) throws(RuntimeError) -> Float {
    let (scale, zeroPoint) = try perTensorQuantization(id, of: node)
    guard zeroPoint == 0 else { throw unsupported(node) }
    return scale
  }

  /// The int16 codes that an activation lets through.
  func boundsInt16(
    _ activation: Activation, _ id: ValueID, of node: Node
  ) throws(RuntimeError) -> (minimum: Int16, maximum: Int16) {
    let scale = try scaleInt16(id, node)
    guard let real = activation.bounds else { throw unsupported(node) }
    func code(_ value: Float) -> Int16 {
      let scaled = (value / scale).rounded(.toNearestOrAwayFromZero)
      return Int16(max(-32768, min(32767, scaled)))
    }
    return (code(real.lowerBound), code(real.upperBound))
  }

  /// One value for each output channel, and a filler beyond the last.
  private func spread(_ values: [Int32], _ padded: Int, filler: Int32) -> [Int32] {
    values.count == 1
      ? Array(repeating: values[0], count: padded)
      : values + Array(repeating: filler, count: padded - values.count)
  }

  private func biasInt64(_ product: Product, _ padded: Int) throws(RuntimeError) -> [Int64] {
    var bias = [Int64](repeating: 0, count: padded)
    guard let id = product.node.input(2), let bytes = product.bias else { return bias }
    do throws(ParsingError) {
      for channel in 0..<product.geometry.outputChannels {
        bias[channel] =
          type(id).dataType == .int64
          ? try bytes.load(Int64.self, at: 8 * channel)
          : Int64(try bytes.load(Int32.self, at: 4 * channel))
      }
    } catch {
      throw unsupported(product.node)
    }
    return bias
  }

  private mutating func packInt16(_ product: Product, _ source: ByteView) -> PackedID {
    guard product.kind == .convolution else { return pack(PackedConstant(copyOf: source, canBeMapped: true)) }
    let (channels, depth) = (product.geometry.outputChannels, product.depth)
    let byteCount = (channels + 15) / 16 * 16 * ((depth + 1) / 2) * 2
    return unsafe pack(
      PackedConstant(byteCount: byteCount, canBeMapped: true) { destination in
        let codes = ConvolutionInt16Arguments.packed(
          source.array.map { Int8(bitPattern: $0) }, outputChannels: channels, depth: depth)
        unsafe codes.withUnsafeBytes { bytes in
          unsafe UnsafeMutableRawBufferPointer(start: destination, count: bytes.count)
            .copyMemory(from: bytes)
        }
      })
  }
}
