/// Who makes and who reads each value of a graph, as it was when asked.
struct Uses {
  /// Reads by nodes, and once more for each time that the value is an output
  /// of the model or what a variable becomes.
  private(set) var counts: [Int]
  /// The node that makes the value; nil for inputs, constants and values that nothing makes.
  private(set) var producers: [Int?]

  init(of graph: Graph) {
    counts = Array(repeating: 0, count: graph.values.count)
    producers = Array(repeating: nil, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() {
      for id in node.inputs { if let id { counts[id.index] += 1 } }
      for id in node.outputs { producers[id.index] = index }
    }
    for id in graph.outputs + graph.variables.map(\.next) { counts[id.index] += 1 }
  }

  /// The node that makes `id` when it has exactly one reader.
  func soleProducer(of id: ValueID) -> Int? {
    counts[id.index] == 1 ? producers[id.index] : nil
  }
}
