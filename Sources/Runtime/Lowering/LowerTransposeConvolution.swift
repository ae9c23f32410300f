import KernelInterface
import ModelGraph
import Tensors

/// Transposed convolution: float32, int8 codes, or int8 weights on activations quantised at run time.
extension Lowering {
  mutating func lowerTransposeConvolution(
    _ parameters: TransposeConvolution2D, _ node: Node
  ) throws(RuntimeError) {
    let (weights, input, output) = (try operand(node, 1), try operand(node, 2), node.outputs[0])
    let kernelShape = shape(weights)
    var form = TransposeForm(
      geometry: try geometry(
        parameters.window, input: shape(output), height: kernelShape[1], width: kernelShape[2],
        output: shape(input), node),
      bounds: try boundsFloat32(parameters.activation, of: node))
    switch (type(input).dataType, type(weights).dataType, type(output).dataType) {
    case (.float32, .float32, .float32): break
    case (.int8, .int8, .int8), (.int8, .uint8, .int8):
      try quantize(&form, parameters, node)
    case (.int16, .int8, .int16): return try lowerTransposeInt16(form, parameters, node)
    case (.float32, .int8, .float32):
      return try lowerTransposeHybrid(form, node)
    default: throw unsupported(node)
    }
    if let bias = node.input(3) {
      guard type(bias).dataType == (form.scales == nil ? .float32 : .int32) else {
        throw unsupported(node)
      }
    }
    try addTransposeConvolution(form, node, type: type(input).dataType, from: source(input))
  }

  /// What a transposed convolution is prepared to.
  private struct TransposeForm {
    var geometry: KernelGeometry
    var bounds: OutputBoundsFloat32
    var codeBounds = OutputBoundsInt8(zeroPoint: 0)
    var scales: PackedID?
    var inputZeroPoint: Int32 = 0
    var weightZeroPoint: Int32 = 0
    /// Weights of another type than the file's.
    var weights: Source?
    /// Scales and biases of int16 codes, and the codes that the activation lets through.
    var wide: (scales: PackedID, bias: PackedID, minimum: Int16, maximum: Int16)?
    /// Scales and zero points of the images' codes, and scales of the weights.
    var dynamic: (rowScales: BufferID, rowZeroPoints: BufferID, weightScales: PackedID)?
  }

  private mutating func quantize(
    _ form: inout TransposeForm, _ parameters: TransposeConvolution2D, _ node: Node
  ) throws(RuntimeError) {
    let (weights, input, output) = (try operand(node, 1), try operand(node, 2), node.outputs[0])
    let codes = try perTensorQuantization(input, of: node)
    let outputScale = try perTensorQuantization(output, of: node).scale
    let channels = shape(weights)[0]
    guard let own = type(weights).quantization, [1, channels].contains(own.scales.count),
      let zeroPoint = own.zeroPoints.first, own.zeroPoints.allSatisfy({ $0 == zeroPoint })
    else { throw unsupported(node) }
    let isUnsigned = type(weights).dataType == .uint8
    if isUnsigned {
      guard let bytes = graph[weights].constant else { throw unsupported(node) }
      form.weights = .packed(pack(
        PackedConstant(copyOf: bytes.withHighBitsFlipped, canBeMapped: true)))
    }
    form.weightZeroPoint = isUnsigned ? zeroPoint - 128 : zeroPoint
    form.inputZeroPoint = codes.zeroPoint
    form.codeBounds = try boundsInt8(parameters.activation, output, of: node)
    form.scales = pack(
      PackedConstant(
        (0..<channels).map { channel -> FixedPointScale in
          let weight = own.scales[own.scales.count == 1 ? 0 : channel]
          // One scale for codes without sign is multiplied in float32.
          let product =
            isUnsigned ? Double(codes.scale * weight) : Double(codes.scale) * Double(weight)
          return FixedPointScale(product / Double(outputScale))
        }))
  }

  private mutating func lowerTransposeHybrid(
    _ form: TransposeForm, _ node: Node
  ) throws(RuntimeError) {
    let (weights, input) = (try operand(node, 1), try operand(node, 2))
    let channels = shape(weights)[0]
    guard let own = type(weights).quantization, [1, channels].contains(own.scales.count),
      own.zeroPoints.allSatisfy({ $0 == 0 }),
      node.input(3).map({ type($0).dataType == .float32 }) ?? true
    else { throw unsupported(node) }
    let rows = try lowerQuantizeRows(
      node, input, rows: shape(input)[0], isSymmetric: false)
    let scales = own.scales.count == 1 ? Array(repeating: own.scale, count: channels) : own.scales
    var form = form
    form.dynamic = (rows.scales, rows.zeroPoints, pack(PackedConstant(scales)))
    try addTransposeConvolution(form, node, type: .int8, from: .buffer(rows.codes))
  }

  private mutating func lowerTransposeInt16(
    _ form: TransposeForm, _ parameters: TransposeConvolution2D, _ node: Node
  ) throws(RuntimeError) {
    let (weights, input, output) = (try operand(node, 1), try operand(node, 2), node.outputs[0])
    let (scale, outputScale) = (try scaleInt16(input, node), try scaleInt16(output, node))
    let channels = shape(weights)[0]
    guard let own = type(weights).quantization, [1, channels].contains(own.scales.count),
      own.zeroPoints.allSatisfy({ $0 == 0 })
    else { throw unsupported(node) }
    let scales = (0..<channels).map { channel in
      let weight = own.scales[own.scales.count == 1 ? 0 : channel]
      return OutputScaleInt16(
        Double(scale) * Double(weight) / Double(outputScale), isNarrow: true)
    }
    var biases = [Int64](repeating: 0, count: channels)
    if let bias = node.input(3) {
      guard let stored = graph.integers(bias), stored.count == channels else {
        throw unsupported(node)
      }
      biases = stored.map { Int64($0) }
    }
    let bounds = try boundsInt16(parameters.activation, output, of: node)
    var form = form
    form.wide = (
      pack(PackedConstant(scales)), pack(PackedConstant(biases)), bounds.minimum, bounds.maximum
    )
    try addTransposeConvolution(form, node, type: .int16, from: source(input))
  }

  private mutating func addTransposeConvolution(
    _ form: TransposeForm, _ node: Node, type: DataType, from source: Source
  ) throws(RuntimeError) {
    let (input, output) = (try operand(node, 2), node.outputs[0])
    let (kernel, geometry) = (table.general.transposeConvolution, form.geometry)
    let own = self.source(try operand(node, 1))
    let taps = form.weights ?? own
    let bias = form.wide == nil ? node.input(3).map { self.source($0) } : nil
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
        let wide = form.wide.map { own in
          unsafe TransposeConvolutionInt16(
            scales: memory.address(.packed(own.scales)), bias: memory.address(.packed(own.bias)),
            minimum: own.minimum, maximum: own.maximum)
        }
        let dynamic = form.dynamic.map { rows in
          unsafe TransposeConvolutionDynamicRange(
            rowScales: UnsafePointer(memory.address(rows.rowScales)),
            rowZeroPoints: UnsafePointer(memory.address(rows.rowZeroPoints)),
            weightScales: memory.address(.packed(rows.weightScales)))
        }
        let arguments = unsafe TransposeConvolutionArguments(
          geometry: geometry, type: type, weights: memory.raw(taps),
          bias: bias.map { unsafe memory.raw($0) },
          scales: form.scales.map { unsafe memory.address(.packed($0)) },
          inputZeroPoint: form.inputZeroPoint, weightZeroPoint: form.weightZeroPoint,
          wide: wide, dynamic: dynamic, bounds: form.codeBounds, floatBounds: form.bounds,
          input: memory.raw(source), output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }
}
