extension Graph {
  /// Drops nodes and values that no output of the model needs; the values that remain are counted
  /// anew.
  mutating func eliminateDeadNodes() {
    var isNeeded = Array(repeating: false, count: values.count)
    for id in inputs + outputs { isNeeded[id.index] = true }
    for variable in variables {
      isNeeded[variable.current.index] = true
      isNeeded[variable.next.index] = true
    }
    for entry in signatures.flatMap({ $0.inputs + $0.outputs }) {
      isNeeded[entry.value.index] = true
    }
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: { isNeeded[$0.index] }) {
      for id in node.inputs { if let id { isNeeded[id.index] = true } }
      for id in node.outputs { isNeeded[id.index] = true }
      kept.append(node)
    }
    nodes = kept.reversed()
    dropValues(keeping: isNeeded)
  }

  private mutating func dropValues(keeping isNeeded: [Bool]) {
    var place = Array(repeating: ValueID(-1), count: values.count)
    var remaining: [Value] = []
    for (index, value) in values.enumerated() where isNeeded[index] {
      place[index] = ValueID(remaining.count)
      remaining.append(value)
    }
    values = remaining
    inputs = inputs.map { place[$0.index] }
    outputs = outputs.map { place[$0.index] }
    for index in variables.indices {
      variables[index].current = place[variables[index].current.index]
      variables[index].next = place[variables[index].next.index]
    }
    for index in nodes.indices {
      nodes[index].inputs = nodes[index].inputs.map { $0.map { place[$0.index] } }
      nodes[index].outputs = nodes[index].outputs.map { place[$0.index] }
    }
    for index in signatures.indices {
      signatures[index].inputs = signatures[index].inputs.map { remap($0, place) }
      signatures[index].outputs = signatures[index].outputs.map { remap($0, place) }
    }
  }

  private func remap(_ entry: Signature.Entry, _ place: [ValueID]) -> Signature.Entry {
    Signature.Entry(name: entry.name, value: place[entry.value.index])
  }
}
