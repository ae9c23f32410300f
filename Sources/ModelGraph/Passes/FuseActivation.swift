extension Graph {
  /// Lets the operator before a clamping activation apply it, where both store the same type of
  /// tensor.
  mutating func fuseActivations() {
    let uses = Uses(of: self)
    var place = Array(nodes.indices)
    var kept: [Node] = []
    for (index, node) in nodes.enumerated() {
      if let activation = node.operation.activation, let operand = node.input(0),
        let maker = uses.soleProducer(of: operand),
        self[operand].type == self[node.outputs[0]].type,
        let fused = kept[place[maker]].operation.fusing(activation)
      {
        kept[place[maker]].operation = fused
        kept[place[maker]].outputs = node.outputs
        place[index] = place[maker]
      } else {
        place[index] = kept.count
        kept.append(node)
      }
    }
    nodes = kept
  }
}

extension Operator {
  /// The clamping activation that this operator is, if it is one.
  fileprivate var activation: Activation? {
    guard case .unary(let parameters) = self else { return nil }
    return switch parameters.kind {
    case .relu: .relu
    case .relu6: .relu6
    case .reluN1To1: .reluN1To1
    default: nil
    }
  }

  /// This operator with `activation` applied to its result; nil when it has another already or
  /// takes none.
  fileprivate func fusing(_ activation: Activation) -> Operator? {
    switch self {
    case .convolution2D(var parameters) where parameters.activation == .none:
      parameters.activation = activation
      return .convolution2D(parameters)
    case .depthwiseConvolution2D(var parameters) where parameters.activation == .none:
      parameters.activation = activation
      return .depthwiseConvolution2D(parameters)
    case .fullyConnected(var parameters) where parameters.activation == .none:
      parameters.activation = activation
      return .fullyConnected(parameters)
    case .binary(var parameters)
    where parameters.activation == .none && parameters.takesActivation:
      parameters.activation = activation
      return .binary(parameters)
    case .pool2D(var parameters) where parameters.activation == .none:
      parameters.activation = activation
      return .pool2D(parameters)
    default: return nil
    }
  }
}
