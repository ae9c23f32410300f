extension Graph {
  /// Turns pools of root mean squares into squares, an average and a root.
  ///
  /// - Precondition: shapes have been inferred.
  mutating func expandRootPools() {
    var result: [Node] = []
    for node in nodes {
      guard case .pool2D(var parameters) = node.operation,
        case .rootMeanSquare = parameters.kind, let operand = node.input(0)
      else {
        result.append(node)
        continue
      }
      let squares = append(Value(name: "", type: self[operand].type))
      let means = append(Value(name: "", type: self[node.outputs[0]].type))
      let roots = append(Value(name: "", type: self[node.outputs[0]].type))
      let activation = parameters.activation
      parameters.kind = .average
      parameters.activation = .none
      result.append(Node(.unary(Unary(kind: .square)), inputs: [operand], outputs: [squares]))
      result.append(Node(.pool2D(parameters), inputs: [squares], outputs: [means]))
      let last = activation == .none ? node.outputs[0] : roots
      result.append(Node(.unary(Unary(kind: .squareRoot)), inputs: [means], outputs: [last]))
      if let kind = activation.function {
        result.append(Node(.unary(Unary(kind: kind)), inputs: [roots], outputs: node.outputs))
      }
    }
    nodes = result
  }
}

extension Activation {
  /// The function as an operator; nil for none.
  fileprivate var function: Unary.Kind? {
    switch self {
    case .none: nil
    case .relu: .relu
    case .reluN1To1: .reluN1To1
    case .relu6: .relu6
    case .tanh: .tanh
    }
  }
}
