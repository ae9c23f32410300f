/// What a node computes: a closed set, one parameter struct per case.
///
/// Shape inference, validation, folding and lowering each are one exhaustive switch over it, so a
/// new case makes the compiler list the places to visit. Layout is NHWC throughout.
package enum Operator: Sendable, Equatable {
  case convolution2D(Convolution2D)
  case depthwiseConvolution2D(DepthwiseConvolution2D)
  case fullyConnected(FullyConnected)
  case binary(Binary)
  case unary(Unary)
  case pool2D(Pool2D)
  case reduce(Reduce)
  case pad(Pad)
  case reshape(Reshape)
  case squeeze(Squeeze)
  case expandDimensions(ExpandDimensions)
  case softmax(Softmax)
  case concatenate(Concatenate)
  case quantize
  case dequantize
  case recurrent(Recurrent)
  case move(Move)
  case stridedCopy(StridedCopy)
  case gather(Gather)
  /// Inputs: the data, and indices `[…, k]`, each of which names an element of the first `k` axes.
  case gatherND
  /// Another element type for the same numbers, fractions cut off.
  case cast
  /// Inputs: bools, and what to take where they are true and where false. All broadcast.
  case select
  case argumentOfExtreme(ArgumentOfExtreme)
  case resize(Resize)
  case batchMatmul(BatchMatmul)
  case transposeConvolution2D(TransposeConvolution2D)
  /// Inputs: the data, and amounts as of a pad. The margin mirrors the data, with or without its
  /// edge.
  case mirrorPad(includesEdge: Bool)
  case generate(Generator)
  case cumulativeSum(CumulativeSum)
  /// Rows of the last axis brought to length 1.
  case l2Normalize
  /// Inputs: the data, γ and β, one number for each column or absent.
  case layerNormalize(LayerNormalization)
  /// Inputs: the data, what to put into a copy of it, and where.
  case dynamicUpdateSlice
  /// Inputs: indices, depth, and the values for hit and miss.
  case oneHot(axis: Int)
  case detect(Detection)
  /// The Fourier transform of the last two axes, to the non-negative frequencies of the last one.
  ///
  /// Inputs: the data, and the two lengths, powers of two, to which it is cut or filled with zeros.
  case spectrum
  case complexPart(ComplexPart)
  /// Inputs: the data, and how many of the greatest elements of its last axis are wanted. Outputs:
  /// these elements in falling order, and their indices.
  case top
  /// Inputs: indices `[…, k]`, slices, and a shape. Output: zeros of that shape, to which each slice
  /// is added at the place that its `k` indices of the first axes name. With a fourth input, a
  /// scalar, that number in place of zeros, and slices in its place.
  case scatter
  case reverseSequence(ReverseSequence)
  case normalizeByNeighbours(NeighbourNormalization)
  case cut(Cut)
  case convolution3D(Convolution3D)
  case segment(Segment)
  case bucketize(Bucketize)
  case selectBoxes(SelectBoxes)
  /// Inputs: matrices, unless they are zero and as wide as the diagonals are long, and diagonals.
  case diagonal
  case signal(Signal)
  case nonzero(Nonzero)
  /// Input: a vector. Outputs: its elements without those that are there before, in the places behind
  /// them anything; for each element the place of its like among them; and their number, one int64.
  case distinct
  case loop(Loop)
  case branch(Branch)

  /// The operator's name for people, in the words of this code.
  package var name: String {
    switch self {
    case .convolution2D: "convolution2D"
    case .depthwiseConvolution2D: "depthwiseConvolution2D"
    case .fullyConnected: "fullyConnected"
    case .binary(let parameters): parameters.kind.rawValue
    case .unary(let parameters): parameters.kind.rawValue
    case .pool2D(let parameters): parameters.kind.rawValue + "Pool2D"
    case .reduce(let parameters): parameters.kind.rawValue
    case .pad: "pad"
    case .reshape: "reshape"
    case .squeeze: "squeeze"
    case .expandDimensions: "expandDimensions"
    case .softmax: "softmax"
    case .concatenate: "concatenate"
    case .quantize: "quantize"
    case .dequantize: "dequantize"
    case .recurrent(.lstm): "lstm"
    case .recurrent(.svdf): "svdf"
    case .recurrent(.rnn): "rnn"
    case .move: "move"
    case .stridedCopy: "stridedCopy"
    case .gather: "gather"
    case .gatherND: "gatherND"
    case .cast: "cast"
    case .select: "select"
    case .argumentOfExtreme: "argumentOfExtreme"
    case .resize(let parameters): parameters.kind.rawValue + "Resize"
    case .batchMatmul: "batchMatmul"
    case .transposeConvolution2D: "transposeConvolution2D"
    case .mirrorPad: "mirrorPad"
    case .generate(let kind): kind.rawValue
    case .cumulativeSum: "cumulativeSum"
    case .l2Normalize: "l2Normalize"
    case .layerNormalize: "layerNormalize"
    case .dynamicUpdateSlice: "dynamicUpdateSlice"
    case .oneHot: "oneHot"
    case .detect: "detect"
    case .spectrum: "spectrum"
    case .complexPart(let part): part.rawValue
    case .top: "top"
    case .scatter: "scatter"
    case .reverseSequence: "reverseSequence"
    case .normalizeByNeighbours: "normalizeByNeighbours"
    case .cut: "cut"
    case .convolution3D: "convolution3D"
    case .segment(let parameters): "segment-" + parameters.kind.rawValue
    case .bucketize: "bucketize"
    case .selectBoxes: "selectBoxes"
    case .diagonal: "diagonal"
    case .signal(let signal): signal.name
    case .nonzero(let kind): kind.rawValue
    case .distinct: "listDistinct"
    case .loop: "loop"
    case .branch: "branch"
    }
  }

  /// Results that a node of this operator has; nil where the node's graphs decide it.
  package var resultCount: Int? {
    switch self {
    case .recurrent(let parameters): 1 + parameters.stateOperands.count
    case .loop, .branch: nil
    case .detect: 4
    case .distinct: 3
    case .top: 2
    case .selectBoxes(let parameters): parameters.isScored ? 3 : 2
    case .signal(let signal): signal.resultCount
    default: 1
    }
  }
}
