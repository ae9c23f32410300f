import Tensors

/// Shapes and types of the operators with a state.
extension NodeView {
  /// The shapes of the result and of the states behind it.
  func recurrent(_ parameters: Recurrent) throws(GraphError) -> [Shape] {
    switch parameters {
    case .lstm(let lstm): return try self.lstm(lstm)
    case .svdf(let svdf): return try self.svdf(svdf)
    case .rnn(let rnn): return try self.rnn(rnn)
    }
  }

  /// Checks operand counts, element types and that states keep their type.
  func validateRecurrent(_ parameters: Recurrent) throws(GraphError) {
    let expected: ClosedRange<Int>
    let states = parameters.stateOperands
    switch parameters {
    case .lstm: expected = 20...24
    case .svdf, .rnn: expected = 5...5
    }
    guard expected.contains(node.inputs.count) else {
      throw .operandCount(node: index, expected: expected, actual: node.inputs.count)
    }
    let input = try type(0).dataType
    guard input == .float32 || input == .int8 else {
      throw .operandDataType(node: index, operand: 0, actual: input)
    }
    guard graph[node.outputs[0]].type.dataType == input else {
      throw .resultDataType(node: index, actual: graph[node.outputs[0]].type.dataType)
    }
    for (place, operand) in states.enumerated() {
      let (old, new) = (try type(operand), graph[node.outputs[1 + place]].type)
      guard old.dataType == new.dataType, old.quantization == new.quantization else {
        throw .resultDataType(node: index, actual: new.dataType)
      }
    }
  }

  private func lstm(_ parameters: LSTM) throws(GraphError) -> [Shape] {
    let input = try shape(0, ranks: 3...3)
    let batch = input[parameters.isTimeMajor ? 1 : 0]
    let outputWeights = try shape(LSTM.inputWeights + 3, ranks: 2...2)
    let recurrent = try shape(LSTM.recurrentWeights + 3, ranks: 2...2)
    let (cells, outputs) = (outputWeights[0], recurrent[1])
    for gate in 0..<4 {
      let hasWeights = node.input(LSTM.inputWeights + gate) != nil
      guard hasWeights || gate == 0 else {
        throw .operandMissing(node: index, operand: LSTM.inputWeights + gate)
      }
      guard hasWeights else {
        try expectAbsent([LSTM.recurrentWeights, LSTM.peepholes, LSTM.biases])
        continue
      }
      try expectExtents([cells, input[2]], of: LSTM.inputWeights + gate)
      try expectExtents([cells, outputs], of: LSTM.recurrentWeights + gate)
      try expectExtents([cells], of: LSTM.biases + gate)
    }
    for operand in LSTM.peepholes..<LSTM.biases where node.input(operand) != nil {
      try expectExtents([cells], of: operand)
    }
    for operand in node.inputs.indices.dropFirst(LSTM.normalizations)
    where node.input(operand) != nil {
      try expectExtents([cells], of: operand)
    }
    if node.input(LSTM.projection) != nil {
      try expectExtents([outputs, cells], of: LSTM.projection)
      if node.input(LSTM.projection + 1) != nil {
        try expectExtents([outputs], of: LSTM.projection + 1)
      }
    } else {
      try expect(cells, at: 1, of: LSTM.recurrentWeights + 3, in: recurrent)
    }
    let states = [try result([batch, outputs]), try result([batch, cells])]
    for (operand, state) in zip([LSTM.outputState, LSTM.cellState], states) {
      try expectExtents(state.extents, of: operand)
    }
    return [try result([input[0], input[1], outputs])] + states
  }

  private func svdf(_ parameters: SVDF) throws(GraphError) -> [Shape] {
    let input = try shape(0, ranks: 2...2)
    let features = try shape(1, ranks: 2...2)
    let time = try shape(2, ranks: 2...2)
    let filters = features[0]
    guard parameters.rank >= 1, filters % parameters.rank == 0, time[1] >= 1 else {
      throw .parameterInvalid(node: index)
    }
    try expect(input[1], at: 1, of: 1, in: features)
    try expect(filters, at: 0, of: 2, in: time)
    let units = filters / parameters.rank
    if node.input(3) != nil { try expectExtents([units], of: 3) }
    let (memory, overflow) = filters.multipliedReportingOverflow(by: time[1])
    guard !overflow else { throw .shapeTooLarge(node: index, shape: time) }
    let state = try result([input[0], memory])
    try expectExtents(state.extents, of: SVDF.state)
    return [try result([input[0], units]), state]
  }

  private func rnn(_ parameters: RNN) throws(GraphError) -> [Shape] {
    let input = try shape(0, ranks: 3...3)
    let units = try shape(1, ranks: 2...2)[0]
    try expectExtents([units, input[2]], of: 1)
    try expectExtents([units, units], of: 2)
    try expectExtents([units], of: 3)
    let state = try result([input[parameters.isTimeMajor ? 1 : 0], units])
    try expectExtents(state.extents, of: RNN.state)
    return [try result([input[0], input[1], units]), state]
  }

  private func expectExtents(_ extents: [Int], of operand: Int) throws(GraphError) {
    let shape = try shape(operand, ranks: extents.count...extents.count)
    for (axis, extent) in extents.enumerated() {
      try expect(extent, at: axis, of: operand, in: shape)
    }
  }

  private func expectAbsent(_ operands: [Int]) throws(GraphError) {
    for operand in operands where node.input(operand) != nil {
      throw .operandCount(node: index, expected: 0...0, actual: operand)
    }
  }
}
