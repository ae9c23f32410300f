import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

/// Resizing and transposed convolution.
extension Lowering {
  mutating func lowerResize(_ parameters: Resize, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    try checkMoves([input], node)
    let (from, to) = (shape(input), shape(output))
    let dataType = type(input).dataType
    let isBilinear = parameters.kind == .bilinear
    guard !isBilinear || [.float32, .int8, .uint8].contains(dataType) else {
      throw unsupported(node)
    }
    // Nearest moves pixels whole.
    let channels = isBilinear ? from[3] : from[3] * (dataType.bitWidth / 8)
    let kernel = table.general.resize
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, isBilinear ? "resizeBilinear" : "resizeNearest"),
        split: WorkSplit(
          units: to[0] * to[1],
          costNanoseconds: costNanoseconds(elements(output), perNanosecond: 1))
      ) { memory in
        let arguments = unsafe ResizeArguments(
          isBilinear: isBilinear, alignsCorners: parameters.alignsCorners,
          hasHalfPixelCenters: parameters.hasHalfPixelCenters, type: dataType, height: from[1],
          width: from[2], channels: channels, outputHeight: to[1], outputWidth: to[2],
          input: memory.raw(source), output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerTransposeConvolution(
    _ parameters: TransposeConvolution2D, _ node: Node
  ) throws(RuntimeError) {
    let (weights, input, output) = (try operand(node, 1), try operand(node, 2), node.outputs[0])
    let dataType = type(input).dataType
    guard [.float32, .int8].contains(dataType), type(weights).dataType == dataType,
      type(output).dataType == dataType
    else { throw unsupported(node) }
    let kernelShape = shape(weights)
    let geometry = try geometry(
      parameters.window, input: shape(output), height: kernelShape[1], width: kernelShape[2],
      output: shape(input), node)
    var scales: PackedID?
    var (zeroPoint, bounds) = (Int32(0), OutputBoundsInt8(zeroPoint: 0))
    if dataType == .int8 {
      let quantization = try perTensorQuantization(input, of: node)
      let outputScale = try perTensorQuantization(output, of: node).scale
      guard let weightScales = type(weights).quantization?.scales,
        [1, kernelShape[0]].contains(weightScales.count)
      else { throw unsupported(node) }
      zeroPoint = quantization.zeroPoint
      bounds = try boundsInt8(parameters.activation, output, of: node)
      scales = pack(
        PackedConstant(
          (0..<kernelShape[0]).map { channel in
            let weight = weightScales[weightScales.count == 1 ? 0 : channel]
            return Float(
              Double(quantization.scale) * Double(weight) / Double(outputScale))
          }))
    }
    if let bias = node.input(3) {
      guard type(bias).dataType == (dataType == .int8 ? .int32 : .float32) else {
        throw unsupported(node)
      }
    }
    try addTransposeConvolution(
      node, geometry, scales: scales, zeroPoint: zeroPoint, bounds: bounds,
      floatBounds: try boundsFloat32(parameters.activation, of: node))
  }

  private mutating func addTransposeConvolution(
    _ node: Node, _ geometry: KernelGeometry, scales: PackedID?, zeroPoint: Int32,
    bounds: OutputBoundsInt8, floatBounds: OutputBoundsFloat32
  ) throws(RuntimeError) {
    let (weights, input, output) = (try operand(node, 1), try operand(node, 2), node.outputs[0])
    let dataType = type(input).dataType
    let kernel = table.general.transposeConvolution
    let (taps, source) = (source(weights), source(input))
    let bias = node.input(3).map { self.source($0) }
    let destination = try destination(output)
    let work = costNanoseconds(
      elements(output), geometry.taps, geometry.outputChannels, perNanosecond: 2)
    add(
      Step(
        description: description(
          node, "transposeConvolution",
          multiplyAccumulates: elements(input) * geometry.taps * geometry.inputChannels),
        split: WorkSplit(
          units: geometry.batch * geometry.inputHeight, costNanoseconds: work)
      ) { memory in
        let arguments = unsafe TransposeConvolutionArguments(
          geometry: geometry, type: dataType, weights: memory.raw(taps),
          bias: bias.map { unsafe memory.raw($0) },
          scales: scales.map { unsafe memory.address(.packed($0)) }, inputZeroPoint: zeroPoint,
          bounds: bounds, floatBounds: floatBounds, input: memory.raw(source),
          output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }
}
