import ByteParsing
import ModelGraph

/// The operators whose options are few or none.
extension TFLiteOperatorReader {
  func readOther() throws(TFLiteError) -> Operator {
    if let kind = builtin.unaryKind { return .unary(Unary(kind: kind)) }
    if let kind = builtin.binaryKind { return .binary(Binary(kind: kind)) }
    if let kind = builtin.reductionKind {
      return .reduce(Reduce(kind: kind, axes: nil, keepsDimensions: try bool(options(27), 0)))
    }
    switch builtin {
    case .divide: return .binary(Binary(kind: .divide, activation: try activation(options(29), 0)))
    case .leakyRelu: return .unary(Unary(kind: .leakyRelu, slope: try float(options(75), 0)))
    case .gelu:
      return .unary(Unary(kind: try bool(options(116), 0) ? .approximateGelu : .gelu))
    case .logSoftmax: return .softmax(Softmax(beta: 1, isLogarithm: true))
    case .transpose: return .move(.transpose)
    case .slice: return .move(.slice)
    case .tile: return .move(.tile)
    case .broadcastTo: return .move(.broadcast)
    case .reverseV2: return .move(.reverse)
    case .spaceToBatchND: return .move(.spaceToBatch)
    case .batchToSpaceND: return .move(.batchToSpace)
    case .spaceToDepth: return .move(.spaceToDepth(block: try integer(options(19), 0)))
    case .depthToSpace: return .move(.depthToSpace(block: try integer(options(94), 0)))
    case .stridedSlice: return .move(.stridedSlice(try stridedSlice()))
    case .pack:
      return .concatenate(Concatenate(axis: try integer(options(59), 1), stacks: true))
    case .gather:
      let options = try options(23)
      return .gather(
        Gather(axis: try integer(options, 0), batchDimensions: try integer(options, 1)))
    case .gatherND: return .gatherND
    case .embeddingLookup: return .gather(Gather(axis: 0))
    case .cast: return .cast
    case .select, .selectV2: return .select
    case .argumentMaximum: return .argumentOfExtreme(ArgumentOfExtreme(isMaximum: true))
    case .argumentMinimum: return .argumentOfExtreme(ArgumentOfExtreme(isMaximum: false))
    case .shape: return .generate(.shape)
    case .rank: return .generate(.rank)
    case .fill: return .generate(.fill)
    case .range: return .generate(.range)
    case .zerosLike: return .generate(.zerosLike)
    case .l2Normalization: return .l2Normalize
    case .dynamicUpdateSlice: return .dynamicUpdateSlice
    case .mirrorPad: return .mirrorPad(includesEdge: try byte(options(77), 0) == 1)
    default: return try readResampling()
    }
  }

  private func readResampling() throws(TFLiteError) -> Operator {
    switch builtin {
    case .resizeBilinear:
      let options = try options(15)
      return .resize(
        Resize(
          kind: .bilinear, alignsCorners: try bool(options, 2),
          hasHalfPixelCenters: try bool(options, 3)))
    case .resizeNearestNeighbor:
      let options = try options(74)
      return .resize(
        Resize(
          kind: .nearest, alignsCorners: try bool(options, 0),
          hasHalfPixelCenters: try bool(options, 1)))
    case .batchMatmul:
      let options = try options(101)
      return .batchMatmul(
        BatchMatmul(
          transposesLeft: try bool(options, 0), transposesRight: try bool(options, 1),
          quantizesAsymmetrically: try bool(options, 2)))
    case .transposeConvolution:
      let options = try options(49)
      let window = Window2D(
        strideHeight: try integer(options, 2), strideWidth: try integer(options, 1),
        padding: try padding(options))
      return .transposeConvolution2D(
        TransposeConvolution2D(window: window, activation: try activation(options, 3)))
    case .cumulativeSum:
      let options = try options(102)
      return .cumulativeSum(
        CumulativeSum(isExclusive: try bool(options, 0), isReversed: try bool(options, 1)))
    case .oneHot: return .oneHot(axis: try integer(options(61), 0))
    default: return try readRare()
    }
  }

  private func readRare() throws(TFLiteError) -> Operator {
    switch builtin {
    case .topK: return .top
    case .whereNonzero: return .nonzero(.positions)
    case .unique: return .distinct
    case .scatterND: return .scatter
    case .reverseSequence:
      let options = try options(87)
      return .reverseSequence(
        ReverseSequence(axis: try integer(options, 0), batchAxis: try integer(options, 1)))
    case .localResponseNormalization:
      let options = try options(13)
      return .normalizeByNeighbours(
        NeighbourNormalization(
          radius: try integer(options, 0), bias: try float(options, 1),
          alpha: try float(options, 2), beta: try float(options, 3)))
    case .rfft2D: return .spectrum
    case .imaginary: return .complexPart(.imaginary)
    case .real: return .complexPart(.real)
    case .complexMagnitude: return .complexPart(.magnitude)
    case .broadcastArguments: return .generate(.broadcastShape)
    case .convolution3D: return .convolution3D(try convolution3D())
    case .segmentSum, .unsortedSegmentSum: return .segment(Segment(kind: .sum))
    case .unsortedSegmentProduct: return .segment(Segment(kind: .product))
    case .unsortedSegmentMaximum: return .segment(Segment(kind: .maximum))
    case .unsortedSegmentMinimum: return .segment(Segment(kind: .minimum))
    case .bucketize:
      let options = try options(115)
      let bounds = try parsing { () throws(ParsingError) in try options?.floats(0) }
      return .bucketize(Bucketize(bounds: bounds ?? []))
    case .nonMaxSuppressionV4: return .selectBoxes(SelectBoxes(isScored: false))
    case .nonMaxSuppressionV5: return .selectBoxes(SelectBoxes(isScored: true))
    case .matrixDiagonal, .matrixSetDiagonal: return .diagonal
    case .detectionPostProcess: return .detect(try detection())
    case .signalWindow, .signalAutoScale, .signalSpectrum, .signalEnergy, .filterBank,
      .filterBankRoot, .subtractNoise, .gainControl, .filterBankLogarithm, .inverseSpectrum,
      .overlapAdd:
      return .signal(try signal())
    default: preconditionFailure("\(builtin) is read by its own rule")
    }
  }

  func convolution3D() throws(TFLiteError) -> Convolution3D {
    let options = try options(106)
    let window = Window2D(
      strideHeight: try integer(options, 3), strideWidth: try integer(options, 2),
      dilationHeight: try integer(options, 7, default: 1),
      dilationWidth: try integer(options, 6, default: 1), padding: try padding(options))
    return Convolution3D(
      window: window, strideDepth: try integer(options, 1),
      dilationDepth: try integer(options, 5, default: 1), activation: try activation(options, 4))
  }

  private func stridedSlice() throws(TFLiteError) -> StridedSlice {
    let options = try options(32)
    return StridedSlice(
      beginMask: try integer(options, 0), endMask: try integer(options, 1),
      ellipsisMask: try integer(options, 2), newAxisMask: try integer(options, 3),
      shrinkAxisMask: try integer(options, 4), endsAreOffsets: try bool(options, 5))
  }

  func float(_ options: FlatBufferTable?, _ field: Int) throws(TFLiteError) -> Float {
    try parsing { () throws(ParsingError) in try options?.float(field, default: 0) } ?? 0
  }

  /// The nodes that this operator is in a graph, whose nodes have one result each but where that
  /// cannot be.
  func nodes(_ operands: [ValueID?], outputs: [ValueID]) throws(TFLiteError) -> [Node] {
    switch builtin {
    case .split:
      // The axis comes first in the file.
      return outputs.enumerated().map { part, output in
        Node(
          .move(.part(index: part, count: outputs.count)), inputs: operands.reversed(),
          outputs: [output])
      }
    case .splitV:
      return outputs.enumerated().map { part, output in
        Node(.move(.unequalPart(index: part)), inputs: operands, outputs: [output])
      }
    case .unpack:
      let axis = try integer(options(64), 1)
      return outputs.enumerated().map { part, output in
        Node(.move(.element(index: part, axis: axis)), inputs: operands, outputs: [output])
      }
    case .embeddingLookup:
      return [Node(.gather(Gather(axis: 0)), inputs: operands.reversed(), outputs: outputs)]
    default: return [Node(try read(), inputs: operands, outputs: outputs)]
    }
  }
}

extension TFLiteBuiltin {
  /// The function of one operand that this is, if it has no options.
  fileprivate var unaryKind: Unary.Kind? {
    switch self {
    case .relu0To1: .relu0To1
    case .hardSwish: .hardSwish
    case .elu: .elu
    case .absolute: .absolute
    case .negate: .negate
    case .sign: .sign
    case .square: .square
    case .squareRoot: .squareRoot
    case .reciprocalSquareRoot: .reciprocalSquareRoot
    case .exponential: .exponential
    case .logarithm: .logarithm
    case .sine: .sine
    case .cosine: .cosine
    case .floor: .floor
    case .ceiling: .ceiling
    case .round: .round
    case .logicalNot: .logicalNot
    default: nil
    }
  }

  /// The operation of two operands that this is, if it has no options.
  fileprivate var binaryKind: Binary.Kind? {
    switch self {
    case .minimum: .minimum
    case .maximum: .maximum
    case .power: .power
    case .squaredDifference: .squaredDifference
    case .floorDivide: .floorDivide
    case .floorModulo: .floorModulo
    case .prelu: .prelu
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessEqual: .lessEqual
    case .greater: .greater
    case .greaterEqual: .greaterEqual
    case .logicalAnd: .logicalAnd
    case .logicalOr: .logicalOr
    case .arcTangent: .arcTangent
    case .bitwiseXor: .bitwiseXor
    case .rightShift: .rightShift
    case .stablehloAdd: .add
    case .stablehloMultiply: .multiply
    case .stablehloMaximum: .maximum
    case .stablehloMinimum: .minimum
    // Of any number of operands, taken two at a time when the graph is put together.
    case .addN: .add
    default: nil
    }
  }

  /// The reduction that this is, other than the mean.
  fileprivate var reductionKind: Reduce.Kind? {
    switch self {
    case .sum: .sum
    case .reduceProduct: .product
    case .reduceMaximum: .maximum
    case .reduceMinimum: .minimum
    case .reduceAny: .any
    case .reduceAll: .all
    default: nil
    }
  }
}
