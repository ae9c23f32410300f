import KernelInterface
import ModelGraph
import Tensors

/// The sizes of a window as kernels take them; the graph's own type of that name says only where the window lies.
typealias KernelGeometry = KernelInterface.WindowGeometry

extension Lowering {
  /// Adds the steps of one node.
  mutating func lower(_ node: Node) throws(RuntimeError) {
    guard node.outputs.contains(where: { graph[$0].type.shape.elementCount != 0 }) else {
      for output in node.outputs { _ = try destination(output) }
      return
    }
    switch node.operation {
    case .convolution2D(let parameters): try lowerConvolution2D(parameters, node)
    case .depthwiseConvolution2D(let parameters): try lowerDepthwise(parameters, node)
    case .fullyConnected(let parameters): try lowerFullyConnected(parameters, node)
    case .binary(let parameters): try lowerBinary(parameters, node)
    case .unary(let parameters): try lowerUnary(parameters, node)
    case .pool2D(let parameters): try lowerPool2D(parameters, node)
    case .reduce(let parameters): try lowerReduce(parameters, node)
    case .pad(let parameters): try lowerPad(parameters, node)
    case .reshape, .squeeze, .expandDimensions: try alias(node.outputs[0], of: operand(node, 0))
    case .softmax(let parameters): try lowerSoftmax(parameters, node)
    case .concatenate(let parameters): try lowerConcatenate(parameters, node)
    case .quantize: try lowerQuantize(node)
    case .dequantize: try lowerDequantize(node)
    case .recurrent(let parameters): try lowerRecurrent(parameters, node)
    case .stridedCopy(let copy): try lowerStridedCopy(copy, node)
    case .gather(let parameters): try lowerGather(parameters, node)
    case .gatherND: try lowerGatherND(node)
    case .cast: try lowerCast(node)
    case .select: try lowerSelect(node)
    case .argumentOfExtreme(let parameters): try lowerArgument(parameters, node)
    case .resize(let parameters): try lowerResize(parameters, node)
    case .transposeConvolution2D(let parameters): try lowerTransposeConvolution(parameters, node)
    case .mirrorPad(let includesEdge): try lowerMirrorPad(includesEdge, node)
    case .cumulativeSum(let parameters): try lowerCumulativeSum(parameters, node)
    case .l2Normalize: try lowerNormalizeRows(isLogSoftmax: false, node)
    case .layerNormalize(let parameters): try lowerLayerNormalize(parameters, node)
    case .dynamicUpdateSlice: try lowerUpdateSlice(node)
    case .oneHot(let axis): try lowerOneHot(axis, node)
    case .batchMatmul(let parameters): try lowerBatchMatmul(parameters, node)
    case .detect(let parameters): try lowerDetection(parameters, node)
    case .spectrum: try lowerSpectrum(node)
    case .complexPart(let part): try lowerComplexPart(part, node)
    case .top: try lowerTop(node)
    case .scatter: try lowerScatter(node)
    case .reverseSequence(let parameters): try lowerReverseSequence(parameters, node)
    case .normalizeByNeighbours(let parameters): try lowerNeighbours(parameters, node)
    case .cut(let cut): try lowerCut(cut, node)
    case .convolution3D(let parameters): try lowerConvolution3D(parameters, node)
    case .segment(let parameters): try lowerSegment(parameters, node)
    case .bucketize(let parameters): try lowerBucketize(parameters, node)
    case .selectBoxes(let parameters): try lowerSelectBoxes(parameters, node)
    case .diagonal: try lowerDiagonal(node)
    case .signal(let signal): try lowerSignal(signal, node)
    case .nonzero(let kind): try lowerNonzero(kind, node)
    case .distinct: try lowerDistinct(node)
    case .loop(let loop): try lowerLoop(loop, node)
    case .branch(let branch): try lowerBranch(branch, node)
    case .move, .generate: throw unsupported(node)
    }
  }

  // MARK: What all lowerings need

  /// The operand at `index`; the node's kind is unsupported without it.
  func operand(_ node: Node, _ index: Int) throws(RuntimeError) -> ValueID {
    guard let id = node.input(index) else { throw unsupported(node) }
    return id
  }

  func type(_ id: ValueID) -> TensorType { graph[id].type }

  func shape(_ id: ValueID) -> Shape { graph[id].type.shape }

  func elements(_ id: ValueID) -> Int { graph[id].type.shape.elementCount ?? 0 }

  func unsupported(_ node: Node) -> RuntimeError {
    .unsupported([
      MissingKernel(
        name: node.operation.name,
        inputs: node.inputs.compactMap { $0.map { graph[$0].type.dataType } },
        outputs: node.outputs.map { graph[$0].type.dataType }, count: 1)
    ])
  }

  /// The one quantisation of an int8 value; the node's kind is unsupported without it.
  func perTensorQuantization(
    _ id: ValueID, of node: Node
  ) throws(RuntimeError) -> (scale: Float, zeroPoint: Int32) {
    guard
      let quantization = type(id).quantization, quantization.scales.count == 1,
      quantization.zeroPoints.count == 1, quantization.scale > 0, quantization.scale.isFinite,
      (-128...127).contains(quantization.zeroPoint)
    else { throw unsupported(node) }
    return (quantization.scale, quantization.zeroPoint)
  }

  /// The codes that an activation lets through.
  func boundsInt8(
    _ activation: Activation, _ id: ValueID, of node: Node
  ) throws(RuntimeError) -> OutputBoundsInt8 {
    try boundsInt8(try boundsFloat32(activation, of: node), id, of: node)
  }

  /// The codes between two numbers.
  func boundsInt8(
    _ real: OutputBoundsFloat32, _ id: ValueID, of node: Node
  ) throws(RuntimeError) -> OutputBoundsInt8 {
    let (scale, zeroPoint) = try perTensorQuantization(id, of: node)
    func code(_ value: Float) -> Int32 {
      let scaled = (value / scale).rounded(.toNearestOrAwayFromZero) + Float(zeroPoint)
      return Int32(max(-128, min(127, scaled)))
    }
    return OutputBoundsInt8(
      zeroPoint: zeroPoint, minimum: code(real.minimum), maximum: code(real.maximum))
  }

  func boundsFloat32(
    _ activation: Activation, of node: Node
  ) throws(RuntimeError) -> OutputBoundsFloat32 {
    guard let real = activation.bounds else { throw unsupported(node) }
    return OutputBoundsFloat32(minimum: real.lowerBound, maximum: real.upperBound)
  }

  func description(
    _ node: Node, _ kernelName: String, multiplyAccumulates: Int = 0
  ) -> StepDescription {
    let values = node.inputs.compactMap { $0 } + node.outputs
    return StepDescription(
      operatorName: node.operation.name, kernelName: kernelName,
      outputName: graph[node.outputs[0]].name, multiplyAccumulates: multiplyAccumulates,
      byteCount: values.reduce(0) { $0 + (graph[$1].type.byteCount ?? 0) })
  }
}

/// The cost of a step from the count of what it does and how many of those a core does in a nanosecond.
func costNanoseconds(_ counts: Int..., perNanosecond rate: Double) -> Int {
  let count = counts.reduce(1.0) { $0 * Double($1) }
  return Int(min(count / rate, 1e15))
}
