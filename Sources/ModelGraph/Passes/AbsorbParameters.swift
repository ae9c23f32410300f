import ByteParsing
import Tensors

extension Graph {
  /// Moves parameters that operands give into the operators, and states shapes and windows as
  /// numbers.
  ///
  /// - Precondition: shapes have been inferred.
  mutating func absorbParameters() throws(GraphError) {
    for index in nodes.indices {
      let view = NodeView(self, index)
      let data = nodes[index].inputs.prefix(1)
      switch nodes[index].operation {
      case .reshape, .squeeze, .expandDimensions:
        let shape = self[nodes[index].outputs[0]].type.shape
        nodes[index].operation = .reshape(Reshape(target: shape.extents))
        nodes[index].inputs = Array(data)
      case .pad(let parameters):
        let amounts = try view.amounts(parameters)
        nodes[index].operation = .pad(Pad(amounts: amounts))
        // The fill stays an operand, in second place now.
        if parameters.amounts == nil { nodes[index].inputs.remove(at: 1) }
      case .reduce(var parameters):
        parameters.axes = try view.axes(parameters)
        nodes[index].operation = .reduce(parameters)
        nodes[index].inputs = Array(data)
      case .concatenate(var parameters):
        let rank = try view.type(0).shape.rank + (parameters.stacks ? 1 : 0)
        parameters.axis = try view.normalize(parameters.axis, rank: rank)
        nodes[index].operation = .concatenate(parameters)
      case .convolution2D, .depthwiseConvolution2D, .pool2D:
        nodes[index].operation = try view.withExplicitPadding()
      case .move(let move):
        if let cut = try view.cut(move) {
          nodes[index].operation = .cut(cut.cut)
          nodes[index].inputs = Array(nodes[index].inputs.prefix(2))
          continue
        }
        let resolved = try view.resolve(move)
        let isWhole = resolved.copy.extents.reduce(1, *) == (try view.type(0).shape.elementCount)
        nodes[index].operation =
          resolved.copy.isContiguous && isWhole
          ? .reshape(Reshape(target: resolved.shape.extents))
          : .stridedCopy(resolved.copy)
        nodes[index].inputs = Array(data)
      case .generate(.fill) where self[nodes[index].outputs[0]].known == nil:
        repeatElement(view.node.input(1), at: index)
      case .generate(.zerosLike) where self[nodes[index].outputs[0]].known == nil:
        var zero = TensorType(self[nodes[index].outputs[0]].type.dataType, [])
        zero.quantization = self[nodes[index].outputs[0]].type.quantization
        let bytes = ByteView([UInt8](repeating: 0, count: zero.byteCount ?? 0))
        repeatElement(append(Value(name: "", type: zero, constant: bytes)), at: index)
      case .reverseSequence(var parameters):
        let rank = try view.type(0).shape.rank
        parameters.axis = try view.normalize(parameters.axis, rank: rank)
        parameters.batchAxis = try view.normalize(parameters.batchAxis, rank: rank)
        nodes[index].operation = .reverseSequence(parameters)
      case .gather(var parameters):
        parameters.axis = try view.normalize(parameters.axis, rank: try view.type(0).shape.rank)
        if parameters.batchDimensions < 0 {
          parameters.batchDimensions += try view.type(1).shape.rank
        }
        nodes[index].operation = .gather(parameters)
      case .fullyConnected, .binary, .unary, .softmax, .quantize, .dequantize, .stridedCopy,
        .gatherND, .cast, .select, .argumentOfExtreme, .resize, .batchMatmul,
        .transposeConvolution2D, .mirrorPad, .generate, .cumulativeSum, .l2Normalize,
        .layerNormalize, .dynamicUpdateSlice, .oneHot, .recurrent, .detect, .spectrum, .complexPart, .top,
        .scatter, .normalizeByNeighbours, .cut, .convolution3D, .segment, .bucketize, .selectBoxes,
        .diagonal, .signal, .nonzero, .distinct, .loop, .branch:
        break
      }
    }
  }
}

extension Graph {
  /// Makes node `index` a walk that stays where it is.
  private mutating func repeatElement(_ element: ValueID?, at index: Int) {
    let extents = self[nodes[index].outputs[0]].type.shape.extents
    nodes[index].operation = .stridedCopy(
      StridedCopy(extents: extents, strides: extents.map { _ in 0 }))
    nodes[index].inputs = [element]
  }
}

extension NodeView {
  /// The operator with its window's padding in rows and columns.
  fileprivate func withExplicitPadding() throws(GraphError) -> Operator {
    let input = try type(0).shape
    switch node.operation {
    case .convolution2D(var parameters):
      let weights = try type(1).shape
      parameters.window = try explicit(parameters.window, input, weights[1], weights[2])
      return .convolution2D(parameters)
    case .depthwiseConvolution2D(var parameters):
      let weights = try type(1).shape
      parameters.window = try explicit(parameters.window, input, weights[1], weights[2])
      return .depthwiseConvolution2D(parameters)
    case .pool2D(var parameters):
      parameters.window = try explicit(
        parameters.window, input, parameters.height, parameters.width)
      return .pool2D(parameters)
    default: return node.operation
    }
  }

  private func explicit(
    _ window: Window2D, _ input: Shape, _ kernelHeight: Int, _ kernelWidth: Int
  ) throws(GraphError) -> Window2D {
    guard
      let geometry = window.geometry(
        height: input[1], width: input[2], kernelHeight: kernelHeight, kernelWidth: kernelWidth)
    else { throw .windowInvalid(node: index) }
    var result = window
    result.padding = .explicit(
      top: geometry.top, bottom: geometry.bottom, left: geometry.left, right: geometry.right)
    return result
  }
}
