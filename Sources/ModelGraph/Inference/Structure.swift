import Tensors

extension Graph {
  /// Checks what any graph must hold: known values, one producer each, producers before consumers.
  func validateStructure() throws(GraphError) {
    var available = values.map { $0.constant != nil }
    for id in inputs {
      try check(id)
      available[id.index] = true
    }
    for variable in variables {
      try check(variable.current)
      try check(variable.next)
      available[variable.current.index] = true
    }
    for (index, node) in nodes.enumerated() {
      for id in node.inputs {
        guard let id else { continue }
        try check(id)
        guard available[id.index] else {
          throw .valueNotProduced(node: index, value: id.index)
        }
      }
      for id in node.outputs {
        try check(id)
        guard !available[id.index] else {
          throw .valueProducedTwice(node: index, value: id.index)
        }
        available[id.index] = true
      }
    }
    for id in outputs + variables.map(\.next) {
      try check(id)
      guard available[id.index] else { throw .outputNotProduced(value: id.index) }
    }
    for entry in signatures.flatMap({ $0.inputs + $0.outputs }) { try check(entry.value) }
  }

  private func check(_ id: ValueID) throws(GraphError) {
    guard values.indices.contains(id.index) else {
      throw .valueOutOfRange(index: id.index, count: values.count)
    }
  }
}
