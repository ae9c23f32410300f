import ByteParsing
import Tensors

/// Shapes and checks of the nodes that run graphs of their own.
extension Graph {
  /// Checks the graphs of node `index`, and that they fit the node.
  func validateControl(_ index: Int) throws(GraphError) {
    let node = nodes[index]
    switch node.operation {
    case .loop(let loop):
      let (condition, body) = (
        try subgraph(loop.condition, of: index), try subgraph(loop.body, of: index)
      )
      try NodeView(self, index).expectOperands(1...Int.max)
      try expectFit(of: condition, outputs: 1, operands: node.inputs[...], index)
      try expectFit(of: body, outputs: node.outputs.count, operands: node.inputs[...], index)
      guard condition.outputSpecifications[0].type.dataType == .bool else {
        throw .resultDataType(node: index, actual: condition.outputSpecifications[0].type.dataType)
      }
      // What an iteration makes is what the next one takes.
      guard node.outputs.count == node.inputs.count else {
        throw .resultCount(
          node: index, expected: node.inputs.count, actual: node.outputs.count)
      }
    case .branch(let branch):
      try NodeView(self, index).expectOperands(1...Int.max)
      guard try NodeView(self, index).type(0).dataType == .bool else {
        throw .operandDataType(
          node: index, operand: 0, actual: try NodeView(self, index).type(0).dataType)
      }
      for place in [branch.whenTrue, branch.whenFalse] {
        try expectFit(
          of: try subgraph(place, of: index), outputs: node.outputs.count,
          operands: node.inputs.dropFirst(), index)
      }
    default: break
    }
  }

  private func subgraph(_ place: Int, of index: Int) throws(GraphError) -> Graph {
    guard subgraphs.indices.contains(place) else { throw .subgraphMissing(node: index) }
    let graph = subgraphs[place]
    guard graph.variables.isEmpty, Set(graph.inputs).count == graph.inputs.count else {
      throw .subgraphMissing(node: index)
    }
    do {
      try graph.validate()
    } catch {
      throw .inSubgraph(node: index, error)
    }
    return graph
  }

  /// Throws unless the graph takes `operands` and makes so many results.
  private func expectFit(
    of graph: Graph, outputs: Int, operands: ArraySlice<ValueID?>, _ index: Int
  ) throws(GraphError) {
    guard graph.inputs.count == operands.count else {
      throw .operandCount(
        node: index, expected: graph.inputs.count...graph.inputs.count, actual: operands.count)
    }
    guard graph.outputs.count == outputs else {
      throw .resultCount(node: index, expected: graph.outputs.count, actual: outputs)
    }
    for (place, (id, input)) in zip(operands, graph.inputs).enumerated() {
      guard let id else { throw .operandMissing(node: index, operand: place) }
      guard self[id].type.dataType == graph[input].type.dataType else {
        throw .operandDataType(node: index, operand: place, actual: self[id].type.dataType)
      }
    }
    for (result, output) in zip(nodes[index].outputs, graph.outputs) where outputs > 1 {
      guard self[result].type.dataType == graph[output].type.dataType else {
        throw .resultDataType(node: index, actual: self[result].type.dataType)
      }
    }
  }

  /// Derives every shape in the graphs of node `index` from the node's operands.
  ///
  /// What an operand is known to hold is known there too, if no iteration changes it.
  mutating func inferControl(_ index: Int) throws(GraphError) -> [Shape] {
    let node = nodes[index]
    switch node.operation {
    case .loop(let loop):
      let body = subgraphs[loop.body]
      let isInvariant = zip(body.inputs, body.outputs).map { $0 == $1 }
      for place in [loop.condition, loop.body] {
        try inferSubgraph(place, of: index, node.inputs[...], isInvariant: isInvariant)
      }
      try expectShapes(after: subgraphs[loop.body], of: index)
      let continues = subgraphs[loop.condition].outputSpecifications[0].type.shape
      guard continues.elementCount == 1 else {
        throw .inSubgraph(node: index, .outputShape(output: 0, expected: [], actual: continues))
      }
      return try node.inputs.map { id throws(GraphError) in
        guard let id else { throw .operandMissing(node: index, operand: 0) }
        return self[id].type.shape
      }
    case .branch(let branch):
      let operands = node.inputs.dropFirst()
      for place in [branch.whenTrue, branch.whenFalse] {
        try inferSubgraph(
          place, of: index, operands, isInvariant: operands.map { _ in true })
      }
      let shapes = [branch.whenTrue, branch.whenFalse].map {
        subgraphs[$0].outputSpecifications.map(\.type.shape)
      }
      for (output, (one, other)) in zip(shapes[0], shapes[1]).enumerated() where one != other {
        throw .inSubgraph(
          node: index, .outputShape(output: output, expected: one, actual: other))
      }
      return shapes[0]
    default: return []
    }
  }

  private mutating func inferSubgraph(
    _ place: Int, of index: Int, _ operands: ArraySlice<ValueID?>, isInvariant: [Bool]
  ) throws(GraphError) {
    for ((input, id), isInvariant) in zip(zip(subgraphs[place].inputs, operands), isInvariant) {
      guard let id else { throw .operandMissing(node: index, operand: 0) }
      subgraphs[place][input].type.shape = self[id].type.shape
      subgraphs[place][input].constant = isInvariant ? elements(id) : nil
    }
    do {
      try subgraphs[place].inferShapes()
    } catch {
      throw .inSubgraph(node: index, error)
    }
  }

  /// Throws unless each result of a loop's body has the shape that the next iteration takes.
  private func expectShapes(after body: Graph, of index: Int) throws(GraphError) {
    for (place, (input, output)) in zip(body.inputs, body.outputs).enumerated() {
      let (before, after) = (body[input].type, body[output].type)
      guard before.shape == after.shape, before.dataType == after.dataType else {
        throw .inSubgraph(
          node: index,
          .outputShape(output: place, expected: before.shape, actual: after.shape))
      }
    }
  }
}
