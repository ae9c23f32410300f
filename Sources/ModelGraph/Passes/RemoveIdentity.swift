extension Graph {
  /// Removes nodes whose result is their operand.
  ///
  /// Readers turn to the operand. An output of the model keeps its value: its maker writes there
  /// instead, and the node stays where the operand has other readers or no maker.
  mutating func removeIdentity() {
    let uses = Uses(of: self)
    let given = Set(outputs + variables.map(\.next))
    var replacement = values.indices.map(ValueID.init)
    var kept: [Node] = []
    // Where a node of the old list is in the new one.
    var place: [Int?] = Array(repeating: nil, count: nodes.count)
    for (index, original) in nodes.enumerated() {
      var node = original
      node.inputs = node.inputs.map { $0.map { replacement[$0.index] } }
      let result = node.outputs[0]
      if let operand = identityOperand(of: node) {
        if !given.contains(result) {
          replacement[result.index] = operand
          continue
        }
        // Only where the operand was this node's own from the start is its maker known.
        if operand == original.inputs[0], let maker = uses.soleProducer(of: operand),
          let target = place[maker]
        {
          kept[target].outputs = kept[target].outputs.map { $0 == operand ? result : $0 }
          place[index] = target
          continue
        }
      }
      place[index] = kept.count
      kept.append(node)
    }
    nodes = kept
  }

  /// The operand that `node` only repeats; nil when it does anything.
  private func identityOperand(of node: Node) -> ValueID? {
    guard let operand = node.input(0), self[operand].type == self[node.outputs[0]].type else {
      return nil
    }
    let isIdentity =
      switch node.operation {
      case .reshape, .squeeze, .expandDimensions, .quantize: true
      case .pad(let parameters):
        parameters.amounts?.allSatisfy { $0.before == 0 && $0.after == 0 } ?? false
      case .concatenate(let parameters): 
        node.inputs.count == 1 && parameters.activation == .none && !parameters.stacks
      case .reduce(let parameters): parameters.axes?.isEmpty ?? false
      case .cast: true
      default: false
      }
    return isIdentity ? operand : nil
  }
}
