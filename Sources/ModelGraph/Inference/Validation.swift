import Tensors

extension Graph {
  /// Throws unless the graph is well formed and every operator takes the types that it is given.
  ///
  /// Shapes are the subject of `inferShapes`; which of these types this machine has kernels for is
  /// decided when the graph is lowered.
  package func validate() throws(GraphError) {
    try validateStructure()
    for index in nodes.indices {
      try NodeView(self, index).validate()
      try validateControl(index)
    }
  }
}

extension NodeView {
  /// Checks operand and result counts, element types and quantisation of one node.
  fileprivate func validate() throws(GraphError) {
    if let results = node.operation.resultCount, node.outputs.count != results {
      throw .resultCount(node: index, expected: results, actual: node.outputs.count)
    }
    switch node.operation {
    case .convolution2D, .depthwiseConvolution2D, .fullyConnected:
      try expectOperands(2...3)
      try validateProduct()
    case .binary(let parameters):
      try expectOperands(2...2)
      try parameters.isPredicate
        ? validatePredicate()
        : validateElementwise(
          [.float32, .float16, .int8, .uint8, .int16, .int32, .int64], operands: 2)
    case .unary(let parameters):
      try expectOperands(1...1)
      try validateElementwise(
        parameters.kind == .logicalNot
          ? [.bool] : [.float32, .float16, .int8, .uint8, .int16, .int32, .int64], operands: 1)
    case .pool2D:
      try expectOperands(1...1)
      try validateElementwise([.float32, .float16, .int8, .uint8, .int16], operands: 1)
    case .softmax(let parameters):
      try expectOperands(1...1)
      guard parameters.beta.isFinite else { throw .parameterInvalid(node: index) }
      guard try type(0).shape.rank > 0 else {
        throw .operandRank(node: index, operand: 0, expected: 1...Shape.rankMaximum, actual: 0)
      }
      try validateSoftmax()
    case .reduce:
      try expectOperands(1...2)
      try validateElementwise(
        [.float32, .float16, .int8, .uint8, .int16, .int32, .int64, .bool], operands: 1)
    case .pad:
      try expectOperands(1...3)
      try validateMove(operands: [0, 2])
    case .reshape, .expandDimensions:
      try expectOperands(1...2)
      try validateMove(operands: [0])
    case .squeeze:
      try expectOperands(1...1)
      try validateMove(operands: [0])
    case .concatenate:
      try expectOperands(1...Int.max)
      try validateMove(operands: Array(node.inputs.indices))
    case .quantize:
      try expectOperands(1...1)
      try validateQuantize()
    case .dequantize:
      try expectOperands(1...1)
      try validateDequantize()
    case .recurrent(let parameters): try validateRecurrent(parameters)
    case .move, .stridedCopy, .gather, .gatherND, .cast, .select, .argumentOfExtreme, .resize,
      .batchMatmul, .transposeConvolution2D, .mirrorPad, .generate, .cumulativeSum, .l2Normalize,
      .layerNormalize, .dynamicUpdateSlice, .oneHot:
      try validateIndexing()
    case .detect(let parameters): try validateDetection(parameters)
    case .spectrum, .complexPart, .top, .scatter, .reverseSequence, .normalizeByNeighbours, .cut:
      try validateSelection()
    case .convolution3D, .segment, .bucketize, .selectBoxes, .diagonal: try validateRare()
    case .signal(let signal): try validateSignal(signal)
    case .nonzero, .distinct: try validateNonzero()
    case .loop, .branch: break
    }
  }

  var resultType: TensorType { graph[node.outputs[0]].type }

  func expectOperands(_ counts: ClosedRange<Int>) throws(GraphError) {
    guard counts.contains(node.inputs.count) else {
      throw .operandCount(node: index, expected: counts, actual: node.inputs.count)
    }
  }

  func expect(
    _ type: DataType, of operand: Int, among types: [DataType]
  ) throws(GraphError) {
    guard types.contains(type) else {
      throw .operandDataType(node: index, operand: operand, actual: type)
    }
  }

  /// Quantised codes need one scale above zero; plain numbers need none.
  func expectScale(_ type: TensorType, of operand: Int?) throws(GraphError) {
    guard type.dataType.isQuantizedCode else { return }
    if let quantization = type.quantization, !quantization.isPerChannel,
      quantization.blockSize == nil, quantization.scale > 0,
      type.hasPossibleZeroPoints
    {
      return
    }
    guard let operand else { throw .resultQuantization(node: index) }
    throw .operandQuantization(node: index, operand: operand)
  }

  /// A convolution or matrix product: activations, weights, bias.
  private func validateProduct() throws(GraphError) {
    let input = try type(0)
    let weights = try type(1)
    let bias = optionalValue(2)?.type
    try expect(input.dataType, of: 0, among: [.float32, .int8, .uint8, .int16])
    let weightTypes: [DataType]
    let biasTypes: [DataType]
    switch input.dataType {
    case .float32: (weightTypes, biasTypes) = ([.float32, .int8, .int4], [.float32])
    case .int8: (weightTypes, biasTypes) = ([.int8, .int4], [.int32])
    case .uint8: (weightTypes, biasTypes) = ([.uint8], [.int32])
    default: (weightTypes, biasTypes) = ([.int8], [.int32, .int64])
    }
    try expect(weights.dataType, of: 1, among: weightTypes)
    if let bias { try expect(bias.dataType, of: 2, among: biasTypes) }
    guard resultType.dataType == input.dataType else {
      throw .resultDataType(node: index, actual: resultType.dataType)
    }
    try expectScale(input, of: 0)
    try expectScale(resultType, of: nil)
    guard weights.dataType != .float32 else { return }
    try validateWeightScales(weights)
  }

  /// One scale, or one for each output channel.
  private func validateWeightScales(_ weights: TensorType) throws(GraphError) {
    let invalid = GraphError.operandQuantization(node: index, operand: 1)
    guard let quantization = weights.quantization, weights.hasPossibleZeroPoints else {
      throw invalid
    }
    if let size = quantization.blockSize {
      guard case .fullyConnected = node.operation, resultType.dataType == .float32,
        weights.shape.rank == 2, weights.shape[1] % size == 0
      else { throw invalid }
      return
    }
    guard quantization.isPerChannel else { return }
    var channelAxis = 0
    if case .depthwiseConvolution2D = node.operation { channelAxis = 3 }
    guard
      quantization.axis == channelAxis, channelAxis < weights.shape.rank,
      quantization.scales.count == weights.shape[channelAxis]
    else { throw invalid }
  }

  /// Operands and result of one element type out of `types`.
  func validateElementwise(_ types: [DataType], operands: Int) throws(GraphError) {
    let result = resultType
    for operand in 0..<operands {
      let type = try type(operand)
      try expect(type.dataType, of: operand, among: types)
      guard type.dataType == result.dataType else {
        throw .resultDataType(node: index, actual: result.dataType)
      }
      try expectScale(type, of: operand)
    }
    try expectScale(result, of: nil)
  }

  /// Operands and result of one element type, whatever it is.
  func validateMove(operands: [Int]) throws(GraphError) {
    for operand in operands {
      // The fill of a pad is optional; a missing datum is not.
      guard operand == 0 || node.input(operand) != nil || isConcatenation else { continue }
      let type = try type(operand)
      guard type.dataType == resultType.dataType, type.dataType != .string else {
        throw .operandDataType(node: index, operand: operand, actual: type.dataType)
      }
    }
  }

  private var isConcatenation: Bool {
    if case .concatenate = node.operation { true } else { false }
  }

  private func validateSoftmax() throws(GraphError) {
    let input = try type(0)
    try expect(input.dataType, of: 0, among: [.float32, .float16, .int8, .uint8, .int16])
    try expectScale(input, of: 0)
    // Codes of 8 bits may be answered with 16.
    let widened = input.dataType == .int8 && resultType.dataType == .int16
    guard resultType.dataType == input.dataType || widened else {
      throw .resultDataType(node: index, actual: resultType.dataType)
    }
    try expectScale(resultType, of: nil)
  }

  private func validateQuantize() throws(GraphError) {
    let input = try type(0)
    try expect(input.dataType, of: 0, among: [.float32, .int8, .uint8, .int16, .int32])
    try expectScale(input, of: 0)
    guard resultType.dataType.isQuantizedCode || resultType.dataType == .int32 else {
      throw .resultDataType(node: index, actual: resultType.dataType)
    }
    guard
      let quantization = resultType.quantization, resultType.hasPossibleZeroPoints,
      quantization.scales.allSatisfy({ $0 > 0 })
    else { throw .resultQuantization(node: index) }
  }

  private func validateDequantize() throws(GraphError) {
    let input = try type(0)
    try expect(input.dataType, of: 0, among: [.int8, .uint8, .int16, .int32, .int4, .float16])
    guard input.dataType == .float16 || (input.quantization != nil && input.hasPossibleZeroPoints)
    else {
      throw .operandQuantization(node: index, operand: 0)
    }
    guard resultType.dataType == .float32 else {
      throw .resultDataType(node: index, actual: resultType.dataType)
    }
  }
}

extension TensorType {
  /// True when every zero point is a code of the element type.
  fileprivate var hasPossibleZeroPoints: Bool {
    quantization?.zeroPoints.allSatisfy { dataType.zeroPoints.contains(Int64($0)) } ?? true
  }
}

extension DataType {
  /// Elements that mean a real number only together with a scale.
  fileprivate var isQuantizedCode: Bool {
    switch self {
    case .int8, .uint8, .int16: true
    default: false
    }
  }
}
