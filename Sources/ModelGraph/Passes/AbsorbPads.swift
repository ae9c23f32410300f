import Tensors

extension Graph {
  /// Turns a pad of rows and columns with zero into padding of the convolution that alone reads it.
  mutating func absorbPads() {
    let uses = Uses(of: self)
    for index in nodes.indices {
      guard
        let window = nodes[index].operation.convolutionWindow, let padded = nodes[index].input(0),
        let maker = uses.soleProducer(of: padded), case .pad(let pad) = nodes[maker].operation,
        nodes[maker].inputs.count == 1, let source = nodes[maker].input(0),
        self[source].type.quantization == self[padded].type.quantization,
        let sum = window.adding(pad)
      else { continue }
      nodes[index].operation.convolutionWindow = sum
      nodes[index].inputs[0] = source
    }
  }
}

extension Operator {
  /// The window of a convolution, depthwise or not; nil for every other operator.
  fileprivate var convolutionWindow: Window2D? {
    get {
      switch self {
      case .convolution2D(let parameters): parameters.window
      case .depthwiseConvolution2D(let parameters): parameters.window
      default: nil
      }
    }
    set {
      guard let newValue else { return }
      switch self {
      case .convolution2D(var parameters):
        parameters.window = newValue
        self = .convolution2D(parameters)
      case .depthwiseConvolution2D(var parameters):
        parameters.window = newValue
        self = .depthwiseConvolution2D(parameters)
      default: break
      }
    }
  }
}

extension Window2D {
  /// This window on the tensor inside `pad`; nil when the pad touches batch or channels.
  fileprivate func adding(_ pad: Pad) -> Window2D? {
    guard
      case .explicit(let top, let bottom, let left, let right) = padding,
      let amounts = pad.amounts, amounts.count == 4,
      amounts[0] == Pad.Amount(before: 0, after: 0), amounts[3] == Pad.Amount(before: 0, after: 0)
    else { return nil }
    var window = self
    window.padding = .explicit(
      top: top + amounts[1].before, bottom: bottom + amounts[1].after,
      left: left + amounts[2].before, right: right + amounts[2].after)
    return window
  }
}
