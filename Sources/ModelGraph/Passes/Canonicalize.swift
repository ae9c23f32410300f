extension Graph {
  /// The graph brought to few operators, in the order that lets each pass see what it looks for.
  ///
  /// Afterwards no operator reads a parameter from an operand, no layout operator but `reshape` is
  /// left, every padding is a number of rows and columns, and nothing is computed that no output
  /// needs. Input and output specifications are those of the graph before.
  ///
  /// - Parameter foldedBytesMaximum: bytes that folding constants may make anew.
  package func canonicalized(
    foldedBytesMaximum: Int = GraphLimits.foldedBytesMaximum
  ) throws(GraphError) -> Graph {
    var graph = self
    try graph.validate()
    try graph.inferShapes()
    for index in graph.subgraphs.indices {
      graph.subgraphs[index] = try graph.subgraphs[index].canonicalized(
        foldedBytesMaximum: foldedBytesMaximum)
    }
    try graph.expandBlockMoves()
    graph.expandRootPools()
    try graph.absorbParameters()
    graph.expandTableLookups()
    graph.computeInFloat()
    try graph.foldConstants(limit: foldedBytesMaximum)
    try graph.expandGroups()
    graph.expandHybridProducts()
    try graph.multiplyByConstants()
    graph.signCodes()
    graph.cancelQuantizeDequantize()
    graph.removeIdentity()
    graph.absorbPads()
    graph.fuseActivations()
    graph.fuseLayerNormalizations()
    graph.eliminateDeadNodes()
    return graph
  }
}

/// The canonical form of `graph`; see `Graph.canonicalized`.
package func canonicalize(_ graph: Graph) throws(GraphError) -> Graph {
  try graph.canonicalized()
}
