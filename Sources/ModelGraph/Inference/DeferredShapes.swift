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
      guard case .operandNotConstant(index, let operand) = error else { throw error }
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
    try graph.inferShapes(deferring: true)
    return graph
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
