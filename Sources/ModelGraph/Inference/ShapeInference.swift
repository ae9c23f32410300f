import ByteParsing
package import Tensors

extension Graph {
  /// The shapes that node `index` gives its results, from the shapes and constants of its operands.
  package func inferredShapes(of index: Int) throws(GraphError) -> [Shape] {
    let view = NodeView(self, index)
    switch nodes[index].operation {
    case .convolution2D(let parameters): return [try view.convolution2D(parameters)]
    case .depthwiseConvolution2D(let parameters): return [try view.depthwise(parameters)]
    case .fullyConnected(let parameters): return [try view.fullyConnected(parameters)]
    case .binary: return [try view.broadcast()]
    case .unary, .softmax, .quantize, .dequantize: return [try view.type(0).shape]
    case .pool2D(let parameters): return [try view.pool2D(parameters)]
    case .reduce(let parameters): return [try view.reduce(parameters)]
    case .pad(let parameters): return [try view.pad(parameters)]
    case .reshape(let parameters): return [try view.reshape(parameters)]
    case .squeeze(let parameters): return [try view.squeeze(parameters)]
    case .expandDimensions(let parameters): return [try view.expandDimensions(parameters)]
    case .concatenate(let parameters): return [try view.concatenate(parameters)]
    case .recurrent(let parameters): return try view.recurrent(parameters)
    case .move(let move):
      if let cut = try view.cut(move) { return [cut.shape] }
      return [try view.resolve(move).shape]
    // Made of a move by canonicalisation, which has inferred the shape.
    case .stridedCopy, .cut: return [self[nodes[index].outputs[0]].type.shape]
    case .gather(let parameters): return [try view.gather(parameters)]
    case .gatherND: return [try view.gatherND()]
    case .cast, .l2Normalize, .layerNormalize, .cumulativeSum, .dynamicUpdateSlice:
      return [try view.type(0).shape]
    case .select: return [try view.selected()]
    case .argumentOfExtreme: return [try view.argumentOfExtreme()]
    case .resize: return [try view.resize()]
    case .batchMatmul(let parameters): return [try view.batchMatmul(parameters)]
    case .transposeConvolution2D(let parameters): return [try view.transposed(parameters)]
    case .mirrorPad(let includesEdge): return [try view.mirrorPad(includesEdge: includesEdge)]
    case .generate(let generator): return [try view.generated(generator)]
    case .oneHot(let axis): return [try view.oneHot(axis)]
    case .detect(let parameters): return try view.detection(parameters)
    case .convolution3D(let parameters): return [try view.convolution3D(parameters)]
    case .segment: return [try view.segment()]
    case .bucketize: return [try view.type(0).shape]
    case .selectBoxes(let parameters): return try view.selectBoxes(parameters)
    case .diagonal: return [try view.diagonal()]
    case .signal(let signal): return try view.signal(signal)
    case .nonzero(let kind): return [try view.nonzero(kind)]
    case .distinct: return try view.distinct()
    case .spectrum: return [try view.spectrum()]
    case .complexPart, .normalizeByNeighbours: return [try view.type(0).shape]
    case .top: return try view.top()
    case .scatter: return [try view.scatter()]
    case .reverseSequence(let parameters): return [try view.reverseSequence(parameters)]
    // Derived together with the shapes in their graphs.
    case .loop, .branch: return nodes[index].outputs.map { self[$0].type.shape }
    }
  }

  /// Gives every node's results the shapes that follow from the inputs, in order.
  ///
  /// - Parameter deferring: whether shapes that follow from computed values are left open, rather than
  ///   refused; see `determinants`.
  package mutating func inferShapes(deferring: Bool = false) throws(GraphError) {
    determinants = []
    for index in nodes.indices {
      let outputs = nodes[index].outputs
      guard let shapes = try shapes(of: index, deferring: deferring) else {
        deferResults(of: index)
        continue
      }
      guard outputs.count == shapes.count else {
        throw .resultCount(node: index, expected: shapes.count, actual: outputs.count)
      }
      for (output, shape) in zip(outputs, shapes) {
        self[output].type.shape = shape
        self[output].isDeferred = false
      }
      let known = knownElements(of: index, limit: GraphLimits.knownBytesMaximum)
      if outputs.count == 1 { self[outputs[0]].known = known }
    }
    try checkVariables()
  }

  /// The shapes that node `index` gives its results; nil when they are left open.
  private mutating func shapes(of index: Int, deferring: Bool) throws(GraphError) -> [Shape]? {
    if deferring { return try shapesOrDeferral(of: index) }
    let isControl = nodes[index].operation.resultCount == nil
    return isControl ? try inferControl(index) : try inferredShapes(of: index)
  }

  /// Throws unless every variable is followed by one of its own type and shape.
  private func checkVariables() throws(GraphError) {
    for (index, variable) in variables.enumerated() {
      let (before, after) = (self[variable.current].type, self[variable.next].type)
      guard before.dataType == after.dataType, before.shape == after.shape,
        variable.initial.map({ $0.count == before.byteCount }) ?? true
      else { throw .variableChangesType(variable: index, before: before.shape, after: after.shape) }
    }
  }

  /// The same graph for inputs of other shapes, one for each input in order; every shape is derived
  /// anew.
  package func resized(inputs shapes: [Shape]) throws(GraphError) -> Graph {
    guard shapes.count == inputs.count else {
      throw .inputCount(expected: inputs.count, actual: shapes.count)
    }
    var graph = self
    for (index, shape) in shapes.enumerated() {
      guard
        shape.rank <= Shape.rankMaximum, shape.elementCount != nil,
        shape.extents.allSatisfy({ $0 <= GraphLimits.extentMaximum })
      else {
        throw .inputShape(index: index, expected: self[inputs[index]].signatureShape, actual: shape)
      }
      graph[inputs[index]].type.shape = shape
    }
    try graph.inferShapes(deferring: hasDeferredShapes)
    return graph
  }
}
