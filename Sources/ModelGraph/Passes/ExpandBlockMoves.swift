import Tensors

extension Graph {
  /// Turns the padding of a move into batches into a pad before it, and the crops of a move into
  /// space into a copy after it.
  mutating func expandBlockMoves() throws(GraphError) {
    var result: [Node] = []
    for index in nodes.indices {
      let view = NodeView(self, index)
      var node = nodes[index]
      guard case .move(let move) = node.operation, node.inputs.count == 3,
        let data = node.input(0)
      else {
        result.append(node)
        continue
      }
      switch move {
      case .spaceToBatch:
        let amounts = try view.blockMargins(2, rank: self[data].type.shape.rank)
        let padded = append(Value(name: "", type: self[data].type))
        self[padded].type.shape = try view.padded(self[data].type.shape, amounts)
        result.append(Node(.pad(Pad(amounts: amounts)), inputs: [data], outputs: [padded]))
        node.inputs = [padded, node.inputs[1]]
        result.append(node)
      case .batchToSpace:
        let whole = try view.wholeSpace()
        let crops = try view.blockMargins(2, rank: whole.shape.rank)
        let uncropped = append(Value(name: "", type: self[node.outputs[0]].type))
        self[uncropped].type.shape = whole.shape
        let strides = whole.shape.strides
        let offset = zip(crops, strides).reduce(0) { $0 + $1.0.before * $1.1 }
        let crop = StridedCopy(
          extents: self[node.outputs[0]].type.shape.extents, strides: strides, offset: offset)
        result.append(Node(.stridedCopy(whole.copy), inputs: [data], outputs: [uncropped]))
        result.append(Node(.stridedCopy(crop), inputs: [uncropped], outputs: node.outputs))
      default: result.append(node)
      }
    }
    nodes = result
  }
}
