import ByteParsing
import Tensors

extension Graph {
  /// Turns a product of float32 matrices with as many constant matrices of codes into one product for each pair, whose
  /// results are concatenated.
  mutating func expandHybridProducts() {
    var result: [Node] = []
    for node in nodes {
      if let nodes = expandedHybridProduct(node) {
        result += nodes
      } else {
        result.append(node)
      }
    }
    nodes = result
  }

  private mutating func expandedHybridProduct(_ node: Node) -> [Node]? {
    guard case .batchMatmul(let product) = node.operation, !product.transposesLeft,
      let left = node.input(0), let right = node.input(1),
      self[left].type.dataType == .float32, self[right].type.dataType == .int8,
      let bytes = self[right].constant, let scheme = self[right].type.quantization,
      !scheme.isPerChannel
    else { return nil }
    let (rows, columns) = (self[left].type.shape.extents, self[right].type.shape.extents)
    guard rows.count >= 3, rows.dropLast(2) == columns.dropLast(2) else { return nil }
    let count = rows.dropLast(2).reduce(1, *)
    let (matrix, own) = (Array(rows.suffix(2)), Array(columns.suffix(2)))
    guard count > 1, count <= GraphLimits.groupsMaximum else { return nil }
    let output = self[node.outputs[0]].type
    var (nodes, parts): ([Node], [ValueID]) = ([], [])
    for index in 0..<count {
      guard let slice = try? bytes.slice(at: index * own[0] * own[1], count: own[0] * own[1])
      else { return nil }
      let part = append(Value(name: "", type: TensorType(.float32, Shape(matrix))))
      let copy = StridedCopy(
        extents: matrix, strides: [matrix[1], 1], offset: index * matrix[0] * matrix[1])
      nodes.append(Node(.stridedCopy(copy), inputs: [left], outputs: [part]))
      let weights = append(
        Value(
          name: "", type: TensorType(.int8, Shape(own), quantization: scheme), constant: slice))
      let extents = Array(output.shape.extents.suffix(2))
      parts.append(append(Value(name: "", type: TensorType(.float32, Shape(extents)))))
      nodes.append(
        Node(.batchMatmul(product), inputs: [part, weights], outputs: [parts[index]]))
    }
    var joined = output
    joined.shape.extents = [count * output.shape[output.shape.rank - 2], output.shape.extents.last ?? 1]
    let whole = append(Value(name: "", type: joined))
    nodes.append(Node(.concatenate(Concatenate(axis: 0)), inputs: parts, outputs: [whole]))
    nodes.append(
      Node(.reshape(Reshape(target: output.shape.extents)), inputs: [whole], outputs: node.outputs))
    return nodes
  }
}
