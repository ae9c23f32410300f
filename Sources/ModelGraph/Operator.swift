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
    }
  }

  /// Results that a node of this operator has.
  package var resultCount: Int {
    switch self {
    case .recurrent(let parameters): 1 + parameters.stateOperands.count
    default: 1
    }
  }
}
