package import ByteParsing
import Tensors

/// Shapes that follow from what a model computes, not from its file and the shapes of its inputs.
///
/// `inferShapes` leaves them open and says which values they follow from, the *determinants*. The
/// graph then falls into a head, which can be planned at once and makes the determinants, and a tail,
/// which is settled for the elements that they have in one inference. In a settled tail, shapes may
/// still be open: then it falls apart in the same way.
extension Graph {
  /// Whether shapes follow from values that are computed.
  package var hasDeferredShapes: Bool { !determinants.isEmpty }

  /// The shapes of the results of node `index`; nil when they follow from computed values, which are
  /// then named in `determinants`, or from shapes that do.
  mutating func shapesOrDeferral(of index: Int) throws(GraphError) -> [Shape]? {
    guard !nodes[index].inputs.contains(where: { $0.map { self[$0].isDeferred } ?? false }) else {
      return nil
    }
    do throws(GraphError) {
      return try nodes[index].operation.resultCount == nil
        ? inferControl(index) : inferredShapes(of: index)
    } catch {
      let operand: Int
      switch (error, nodes[index].operation) {
      case (.operandNotConstant(index, let missing), _): operand = missing
      // Which of the graphs is run decides, or what is computed in one of them.
      case (.inSubgraph(index, .outputShape), .branch),
        (.inSubgraph(index, .operandNotConstant), .branch):
        operand = 0
      default: throw error
      }
      let found = try determinants(of: index, operand)
      guard !found.isEmpty else { throw error }
      for id in found where !determinants.contains(id) { determinants.append(id) }
      return nil
    }
  }

  /// The operands of node `index` that its shapes follow from and that are computed, `operand` among
  /// them.
  private func determinants(of index: Int, _ operand: Int) throws(GraphError) -> [ValueID] {
    let node = nodes[index]
    let places =
      switch node.operation {
      case .move: Array(1..<node.inputs.count)
      case .generate(.range): [0, 1, 2]
      default: [operand]
      }
    var found: [ValueID] = []
    for place in places {
      guard let id = node.input(place), elements(id) == nil else { continue }
      let count = self[id].type.shape.elementCount ?? .max
      guard count <= GraphLimits.parameterElementsMaximum else {
        throw .operandExtent(
          node: index, operand: place, axis: 0, expected: GraphLimits.parameterElementsMaximum,
          actual: count)
      }
      found.append(id)
    }
    return found
  }

  /// Leaves the shapes of the results of node `index` open, as far as the model does not state them.
  mutating func deferResults(of index: Int) {
    for output in nodes[index].outputs {
      self[output].type.shape = self[output].signatureShape
      self[output].known = nil
      self[output].isDeferred = true
    }
  }

  /// What can be planned at once, and the rest.
  ///
  /// The head's outputs are the determinants, then the tail's inputs. Both graphs name values alike.
  ///
  /// - Precondition: shapes have been inferred, and some are deferred.
  package func divided() -> (head: Graph, tail: Graph) {
    let isLate = nodes.map { node in node.outputs.contains { self[$0].isDeferred } }
    var (head, tail) = (self, self)
    head.nodes = nodes.indices.filter { !isLate[$0] }.map { nodes[$0] }
    tail.nodes = nodes.indices.filter { isLate[$0] }.map { nodes[$0] }
    var met = Set(determinants)
    tail.inputs = []
    for id in tail.nodes.flatMap({ $0.inputs.compactMap { $0 } }) + outputs
    where !self[id].isDeferred && self[id].constant == nil && met.insert(id).inserted {
      if let known = self[id].known { tail[id].constant = known } else { tail.inputs.append(id) }
    }
    head.outputs = determinants + tail.inputs
    head.determinants = []
    (head.signatures, tail.signatures) = ([], [])
    head.dropSubgraphs()
    tail.dropSubgraphs()
    return (head, tail)
  }

  /// The tail of a divided graph for one set of elements of its determinants, shapes inferred as far
  /// as they follow from these.
  package func settled(_ elements: [ByteView]) throws(GraphError) -> Graph {
    precondition(elements.count == determinants.count)
    var graph = self
    for (id, bytes) in zip(determinants, elements) { graph[id].constant = bytes }
    graph.inlineBranches(on: Set(determinants))
    try graph.inferShapes(deferring: true)
    return graph
  }

  /// Puts the graphs that known conditions choose in the places of their branches.
  private mutating func inlineBranches(on known: Set<ValueID>) {
    var result: [Node] = []
    for node in nodes {
      guard case .branch(let branch) = node.operation, let condition = node.input(0),
        known.contains(condition), let truth = self[condition].constant?.array.first
      else {
        result.append(node)
        continue
      }
      let chosen = subgraphs[truth != 0 ? branch.whenTrue : branch.whenFalse]
      result += inlined(chosen, for: node)
    }
    guard result.count != nodes.count else { return }
    nodes = result
    dropSubgraphs()
  }

  /// The nodes of `chosen` with their values in this graph, and with those of `branch` as results.
  private mutating func inlined(_ chosen: Graph, for branch: Node) -> [Node] {
    var place = chosen.values.indices.map { ValueID(values.count + $0) }
    for (input, operand) in zip(chosen.inputs, branch.inputs.dropFirst()) {
      if let operand { place[input.index] = operand }
    }
    values += chosen.values
    let firstSubgraph = subgraphs.count
    subgraphs += chosen.subgraphs
    var result = chosen.nodes.map { node in
      Node(
        node.operation.runningSubgraphs(from: firstSubgraph),
        inputs: node.inputs.map { $0.map { place[$0.index] } },
        outputs: node.outputs.map { place[$0.index] })
    }
    // A result may be an operand as well, or be there twice.
    for (output, id) in zip(branch.outputs, chosen.outputs) {
      let shape = append(Value(name: "", type: TensorType(.int32, [0])))
      let source = place[id.index]
      result.append(Node(.generate(.shape), inputs: [source], outputs: [shape]))
      result.append(Node(.reshape(Reshape(target: nil)), inputs: [source, shape], outputs: [output]))
    }
    return result
  }

  /// Empties the graphs that no node runs; the others keep their places.
  private mutating func dropSubgraphs() {
    var used: Set<Int> = []
    for node in nodes {
      switch node.operation {
      case .loop(let loop): used.formUnion([loop.condition, loop.body])
      case .branch(let branch): used.formUnion([branch.whenTrue, branch.whenFalse])
      default: break
      }
    }
    for place in subgraphs.indices where !used.contains(place) {
      subgraphs[place] = Graph(values: [], nodes: [], inputs: [], outputs: [])
    }
  }
}

extension Operator {
  /// The operator with its graphs so many places further.
  fileprivate func runningSubgraphs(from first: Int) -> Operator {
    switch self {
    case .loop(let loop): .loop(Loop(condition: first + loop.condition, body: first + loop.body))
    case .branch(let branch):
      .branch(Branch(whenTrue: first + branch.whenTrue, whenFalse: first + branch.whenFalse))
    default: self
    }
  }
}
