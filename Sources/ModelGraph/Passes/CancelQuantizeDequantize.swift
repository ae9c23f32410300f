extension Graph {
  /// Lets readers of `quantize(dequantize(x))` read `x` where both know one scale: the codes are
  /// the same.
  ///
  /// The opposite pair is kept, because it rounds.
  mutating func cancelQuantizeDequantize() {
    let uses = Uses(of: self)
    let given = Set(outputs + variables.map(\.next))
    var replacement = values.indices.map(ValueID.init)
    for index in nodes.indices {
      nodes[index].inputs = nodes[index].inputs.map { $0.map { replacement[$0.index] } }
      let result = nodes[index].outputs[0]
      guard
        nodes[index].operation == .quantize, !given.contains(result),
        let real = nodes[index].input(0), let maker = uses.producers[real.index],
        nodes[maker].operation == .dequantize, let codes = nodes[maker].input(0),
        self[codes].type == self[result].type
      else { continue }
      replacement[result.index] = codes
    }
  }
}
